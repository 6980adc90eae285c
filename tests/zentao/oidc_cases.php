<?php
/**
 * The extension's OpenID Connect part against an issuer that lies in one way at a time. Prints what each lie led to, as
 * JSON: {"<case>": "<reason of the refusal>" or "signed in as <sub>"}. Nothing here is on a network.
 *
 * php oidc_cases.php
 */
require __DIR__ . '/../../examples/zentao/mashang/extension/custom/sso/ext/mashang/oidc.php';

const ISSUER = 'https://login.example.com';

function base64url($bytes)
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

/** An issuer in memory; `$lies` are what it does wrong. */
class liar extends mashangHttp
{
    public $asked = array();
    public $nonce = '';

    private $lies;
    private $key;
    private $other;

    public function __construct($lies)
    {
        static $keys;
        if(!$keys) $keys = array(openssl_pkey_new(), openssl_pkey_new());
        list($this->key, $this->other) = $keys;
        $this->lies = $lies;
    }

    public function get($url, $headers = array())
    {
        return $this->answer($url, $headers, null);
    }

    public function post($url, $body, $headers = array())
    {
        return $this->answer($url, $headers, $body);
    }

    private function answer($url, $headers, $body)
    {
        $this->asked[] = array($url, $headers, $body);
        $path = substr($url, strlen(ISSUER));
        if($path === '/.well-known/openid-configuration') return $this->json($this->lie('discovery', array
        (
            'issuer'                 => ISSUER,
            'authorization_endpoint' => ISSUER . '/authorize',
            'token_endpoint'         => ISSUER . '/token',
            'userinfo_endpoint'      => ISSUER . '/userinfo',
            'jwks_uri'               => ISSUER . '/jwks',
        )));
        if($path === '/token')    return $this->json(array('access_token' => 'at', 'id_token' => $this->token()), $this->lie('token_status', 200, true), $this->lie('token_error', null, true));
        if($path === '/userinfo') return $this->json($this->lie('userinfo', array('sub' => 'sub-1', 'name' => '张三')));
        if($path === '/jwks')     return $this->json(array('keys' => $this->lie('keys', array($this->jwk('k1', $this->key), array('kty' => 'EC', 'kid' => 'k2')))));
        throw new mashangFailure(mashangFailure::UNREACHABLE, $url);
    }

    private function token()
    {
        $header = $this->lie('header', array('alg' => 'RS256', 'kid' => 'k1', 'typ' => 'JWT'));
        $claims = $this->lie('claims', array('iss' => ISSUER, 'aud' => 'zentao', 'exp' => time() + 300, 'iat' => time(), 'nonce' => $this->nonce, 'sub' => 'sub-1'));
        $signed = base64url(json_encode($header)) . '.' . base64url(json_encode($claims));
        if($header['alg'] === 'none')  return "$signed.";
        if($header['alg'] === 'HS256') return "$signed." . base64url(hash_hmac('sha256', $signed, openssl_pkey_get_details($this->key)['key'], true));
        openssl_sign($signed, $signature, isset($this->lies['signer']) ? $this->other : $this->key, OPENSSL_ALGO_SHA256);
        if(isset($this->lies['altered'])) $signed = base64url(json_encode($header)) . '.' . base64url(json_encode(array('sub' => 'admin') + $claims));
        return "$signed." . base64url($signature);
    }

    private function jwk($kid, $key)
    {
        $rsa = openssl_pkey_get_details($key)['rsa'];
        return array('kty' => 'RSA', 'use' => 'sig', 'kid' => $kid, 'n' => base64url($rsa['n']), 'e' => base64url($rsa['e']));
    }

    /** The truth, changed by the lie of this name. */
    private function lie($name, $truth, $whole = false)
    {
        if(!array_key_exists($name, $this->lies)) return $truth;
        $lie = $this->lies[$name];
        if($whole || !is_array($lie)) return $lie;
        foreach($lie as $key => $value)
        {
            if($value === null) unset($truth[$key]);
            else $truth[$key] = $value;
        }
        return $truth;
    }

    private function json($object, $status = 200, $error = null)
    {
        return array('status' => $status, 'body' => json_encode($error === null ? $object : array('error' => $error)));
    }
}

/** One sign-in; `$answer` and `$flow` change what the browser brings and what the session kept. */
function attempt($lies, $answer = array(), $change = null)
{
    $http = new liar($lies);
    $oidc = new mashangOidc(ISSUER . '/', 'zentao', 'a secret/with:signs', 'https://zt.example/index.php?m=sso&f=scancallback', $http);
    try
    {
        list($url, $flow) = $oidc->begin(array('prompt' => 'login'));
        parse_str(parse_url($url, PHP_URL_QUERY), $question);
        $http->nonce = $question['nonce'];
        if($change) $flow = $change($flow);
        $brought = $answer + array('code' => 'c', 'state' => $question['state'], 'iss' => ISSUER);
        $claims  = $oidc->finish(array_filter($brought, function($value) { return $value !== null; }), $flow);
        if($question['code_challenge'] !== base64url(hash('sha256', $flow['verifier'], true)) || $question['code_challenge_method'] !== 'S256') return 'a challenge that is not of the verifier';
        foreach($http->asked as list($asked, $headers, $body))
        {
            if(substr($asked, -6) !== '/token') continue;
            parse_str($body, $form);
            if($form['code_verifier'] !== $flow['verifier'] || $form['redirect_uri'] !== 'https://zt.example/index.php?m=sso&f=scancallback') return 'an exchange without its proof';
            if(!in_array('Authorization: Basic ' . base64_encode('zentao:a+secret%2Fwith%3Asigns'), $headers, true)) return 'an exchange without its secret';
        }
        return 'signed in as ' . $claims['sub'];
    }
    catch(mashangFailure $failure)
    {
        return $failure->reason;
    }
}

$nothing = 'no object';
echo json_encode(array
(
    'honest'                                 => attempt(array()),
    'several audiences, authorised'          => attempt(array('claims' => array('aud' => array('zentao', 'other'), 'azp' => 'zentao'))),
    'clock a little behind'                  => attempt(array('claims' => array('iat' => time() + 30))),
    'no kid, one key'                        => attempt(array('header' => array('kid' => null))),

    'state of somebody else'                 => attempt(array(), array('state' => 'x')),
    'no state'                               => attempt(array(), array('state' => null)),
    'state as a list'                        => attempt(array(), array('state' => array('x'))),
    'a scan after half an hour'              => attempt(array(), array(), function($flow) { $flow['begun'] -= 34 * 60; return $flow; }),
    'flow too old'                           => attempt(array(), array(), function($flow) { $flow['begun'] -= 3600; return $flow; }),
    'empty flow'                             => attempt(array(), array(), function() { return array(); }),
    'answer of another issuer'               => attempt(array(), array('iss' => 'https://evil.example')),
    'answer without an issuer'               => attempt(array(), array('iss' => null)),
    'person turned back'                     => attempt(array(), array('error' => 'access_denied', 'code' => null)),
    'client unknown'                         => attempt(array(), array('error' => 'unauthorized_client', 'code' => null)),
    'no code'                                => attempt(array(), array('code' => null)),
    'code used before'                       => attempt(array('token_status' => 400, 'token_error' => 'invalid_grant')),
    'secret wrong'                           => attempt(array('token_status' => 401, 'token_error' => 'invalid_client')),
    'token endpoint broken'                  => attempt(array('token_status' => 500)),

    'issuer calls itself otherwise'          => attempt(array('discovery' => array('issuer' => 'https://other.example'))),
    'token endpoint elsewhere'               => attempt(array('discovery' => array('token_endpoint' => 'https://evil.example/token'))),
    'token endpoint at a longer host'        => attempt(array('discovery' => array('token_endpoint' => ISSUER . '.evil.example/token'))),
    'endpoint missing'                       => attempt(array('discovery' => array('jwks_uri' => null))),
    'discovery is no object'                 => attempt(array('discovery' => $nothing)),

    'unsigned token'                         => attempt(array('header' => array('alg' => 'none'))),
    'HMAC with the public key'               => attempt(array('header' => array('alg' => 'HS256'))),
    'signed with another key'                => attempt(array('signer' => true)),
    'altered after signing'                  => attempt(array('altered' => true)),
    'unknown key'                            => attempt(array('header' => array('kid' => 'k9'))),
    'key of another kind'                    => attempt(array('header' => array('kid' => 'k2'))),
    'no keys'                                => attempt(array('keys' => $nothing)),
    'token of another issuer'                => attempt(array('claims' => array('iss' => 'https://evil.example'))),
    'token for somebody else'                => attempt(array('claims' => array('aud' => 'shop'))),
    'several audiences, not authorised'      => attempt(array('claims' => array('aud' => array('zentao', 'shop')))),
    'token without audience'                 => attempt(array('claims' => array('aud' => null))),
    'expired token'                          => attempt(array('claims' => array('exp' => time() - 61))),
    'token without expiry'                   => attempt(array('claims' => array('exp' => null))),
    'token from the future'                  => attempt(array('claims' => array('iat' => time() + 600))),
    'nonce of another sign-in'               => attempt(array('claims' => array('nonce' => 'x'))),
    'no nonce'                               => attempt(array('claims' => array('nonce' => null))),
    'nonce as a list'                        => attempt(array('claims' => array('nonce' => array('x')))),
    'nobody'                                 => attempt(array('claims' => array('sub' => ''), 'userinfo' => array('sub' => ''))),
    'userinfo of somebody else'              => attempt(array('userinfo' => array('sub' => 'sub-2'))),
    'userinfo without sub'                   => attempt(array('userinfo' => array('sub' => null))),
), JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE), "\n";
