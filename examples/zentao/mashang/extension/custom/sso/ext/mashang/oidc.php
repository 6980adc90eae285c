<?php
/**
 * A small OpenID Connect client: authorization code, PKCE S256, and an ID token whose signature is checked.
 *
 * It knows neither ZenTao nor WeCom. `begin` gives the address to send the browser to and what the session has to keep;
 * `finish` takes the browser's answer and gives back who it was. PHP 7.0, with openssl, and curl or allow_url_fopen.
 */
require_once __DIR__ . '/http.php';

/** Why a sign-in ended; `$reason` is a word that the page has sentences for, the message is for the log. */
class mashangFailure extends Exception
{
    const UNREACHABLE = 'unreachable';
    const DENIED      = 'denied';
    const STALE       = 'stale';
    const UNTRUSTED   = 'untrusted';
    const SETTINGS    = 'settings';

    public $reason;

    public function __construct($reason, $detail)
    {
        parent::__construct($detail);
        $this->reason = $reason;
    }
}

class mashangOidc
{
    /** How long a person may take to scan: Mashang's page draws QRs for 30 minutes, and the last one may still be approved. */
    const PATIENCE = 2100;

    /** Clocks that differ by so many seconds are forgiven. */
    const LEEWAY = 60;

    private $issuer;
    private $clientID;
    private $clientSecret;
    private $redirectURI;
    private $http;

    public function __construct($issuer, $clientID, $clientSecret, $redirectURI, $http = null)
    {
        $this->issuer       = rtrim($issuer, '/');
        $this->clientID     = $clientID;
        $this->clientSecret = $clientSecret;
        $this->redirectURI  = $redirectURI;
        $this->http         = $http ? $http : new mashangHttp();
    }

    /**
     * Begins a sign-in.
     *
     * @param  array $wishes further parameters of the request, such as login_hint
     * @return array the address to send the browser to, and the flow, to be kept in the session
     */
    public function begin($wishes = array())
    {
        $places = $this->discover();
        $flow   = array
        (
            'state'    => $this->random(),
            'nonce'    => $this->random(),
            'verifier' => $this->random(),
            'begun'    => time(),
            'places'   => $places,
        );
        $question = array
        (
            'response_type'         => 'code',
            'client_id'             => $this->clientID,
            'redirect_uri'          => $this->redirectURI,
            'scope'                 => 'openid profile wecom',
            'state'                 => $flow['state'],
            'nonce'                 => $flow['nonce'],
            'code_challenge'        => $this->base64url(hash('sha256', $flow['verifier'], true)),
            'code_challenge_method' => 'S256',
        );
        $glue = strpos($places['authorization_endpoint'], '?') === false ? '?' : '&';
        return array($places['authorization_endpoint'] . $glue . http_build_query($question + $wishes, '', '&'), $flow);
    }

    /**
     * Ends it: the claims of the person who signed in.
     *
     * @param  array $answer the query of the redirect address
     * @param  array $flow   what `begin` gave; the caller has taken it out of the session already
     */
    public function finish($answer, $flow)
    {
        $said = function($name) use ($answer) { return isset($answer[$name]) && is_string($answer[$name]) ? $answer[$name] : ''; };

        if(!isset($flow['state']) || !hash_equals($flow['state'], $said('state'))) throw new mashangFailure(mashangFailure::STALE, 'the state is not of this session');
        if(time() - $flow['begun'] > self::PATIENCE) throw new mashangFailure(mashangFailure::STALE, 'the sign-in began too long ago');
        if(!hash_equals($this->issuer, $said('iss'))) throw new mashangFailure(mashangFailure::UNTRUSTED, 'the answer names another issuer (iss)');
        if($said('error') === 'access_denied') throw new mashangFailure(mashangFailure::DENIED, 'access_denied');
        if($said('error') !== '') throw new mashangFailure(mashangFailure::SETTINGS, 'authorization: ' . $said('error') . ' ' . $said('error_description'));
        if($said('code') === '') throw new mashangFailure(mashangFailure::STALE, 'there is no code');

        $tokens = $this->exchange($said('code'), $flow);
        $person = $this->checkIDToken($tokens['id_token'], $flow);
        $claims = $this->askUserinfo($tokens['access_token'], $flow);
        if(!isset($claims['sub']) || $claims['sub'] !== $person['sub']) throw new mashangFailure(mashangFailure::UNTRUSTED, 'userinfo speaks of somebody else');
        return $claims;
    }

    /** The issuer's addresses. Each has to be the issuer's own, so that a wrong document leads nobody away. */
    private function discover()
    {
        $found = $this->json($this->http->get($this->issuer . '/.well-known/openid-configuration'), 'discovery');
        if(!isset($found['issuer']) || $found['issuer'] !== $this->issuer) throw new mashangFailure(mashangFailure::SETTINGS, 'the configured issuer is not what the server calls itself');

        $places = array();
        foreach(array('authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri') as $name)
        {
            if(!isset($found[$name]) || !is_string($found[$name]) || strpos($found[$name], $this->issuer . '/') !== 0) throw new mashangFailure(mashangFailure::UNTRUSTED, "discovery: $name is not below the issuer");
            $places[$name] = $found[$name];
        }
        return $places;
    }

    private function exchange($code, $flow)
    {
        $form = array
        (
            'grant_type'    => 'authorization_code',
            'code'          => $code,
            'redirect_uri'  => $this->redirectURI,
            'code_verifier' => $flow['verifier'],
        );
        $basic  = base64_encode(urlencode($this->clientID) . ':' . urlencode($this->clientSecret));
        $answer = $this->http->post($flow['places']['token_endpoint'], http_build_query($form, '', '&'), array("Authorization: Basic $basic"));
        $tokens = json_decode($answer['body'], true);
        $error  = isset($tokens['error']) && is_string($tokens['error']) ? $tokens['error'] : '';
        if($error === 'invalid_grant') throw new mashangFailure(mashangFailure::STALE, 'token: invalid_grant');
        if($error !== '') throw new mashangFailure(mashangFailure::SETTINGS, "token: $error");

        $tokens = $this->json($answer, 'token');
        if(empty($tokens['id_token']) || empty($tokens['access_token']) || !is_string($tokens['id_token']) || !is_string($tokens['access_token'])) throw new mashangFailure(mashangFailure::UNTRUSTED, 'token: tokens are missing');
        return $tokens;
    }

    private function askUserinfo($token, $flow)
    {
        return $this->json($this->http->get($flow['places']['userinfo_endpoint'], array("Authorization: Bearer $token")), 'userinfo');
    }

    /** OpenID Connect Core, 3.1.3.7. */
    private function checkIDToken($token, $flow)
    {
        $distrust = function($why) { throw new mashangFailure(mashangFailure::UNTRUSTED, "ID token: $why"); };

        $parts = explode('.', $token);
        if(count($parts) !== 3) $distrust('not a signed token');
        $header    = json_decode($this->unbase64url($parts[0]), true);
        $claims    = json_decode($this->unbase64url($parts[1]), true);
        $signature = $this->unbase64url($parts[2]);
        if(!is_array($header) || !is_array($claims)) $distrust('unreadable');

        /* The algorithm is ours to choose, not the token's: neither `none` nor an HMAC under a public key. */
        if(!isset($header['alg']) || $header['alg'] !== 'RS256') $distrust('not signed with RS256');
        if(!function_exists('openssl_verify')) throw new mashangFailure(mashangFailure::SETTINGS, 'PHP has no openssl');
        $key = $this->signingKey(isset($header['kid']) ? $header['kid'] : null, $flow);
        if(openssl_verify($parts[0] . '.' . $parts[1], $signature, $key, OPENSSL_ALGO_SHA256) !== 1) $distrust('the signature is wrong');

        $now = time();
        if(!isset($claims['iss']) || $claims['iss'] !== $this->issuer) $distrust('of another issuer');
        $audience = isset($claims['aud']) ? (array)$claims['aud'] : array();
        if(!in_array($this->clientID, $audience, true)) $distrust('for somebody else');
        if(count($audience) > 1 && (!isset($claims['azp']) || $claims['azp'] !== $this->clientID)) $distrust('asked for by somebody else');
        if(!isset($claims['exp']) || !is_numeric($claims['exp']) || $claims['exp'] + self::LEEWAY <= $now) $distrust('expired; is this server\'s clock right?');
        if(!isset($claims['iat']) || !is_numeric($claims['iat']) || $claims['iat'] - self::LEEWAY > $now) $distrust('from the future; is this server\'s clock right?');
        if(!isset($claims['nonce']) || !is_string($claims['nonce']) || !hash_equals($flow['nonce'], $claims['nonce'])) $distrust('of another sign-in (nonce)');
        if(!isset($claims['sub']) || !is_string($claims['sub']) || $claims['sub'] === '') $distrust('of nobody');
        return $claims;
    }

    /** The issuer's RSA key of this id, as PEM; without an id, the only one there is. */
    private function signingKey($id, $flow)
    {
        $set  = $this->json($this->http->get($flow['places']['jwks_uri']), 'jwks');
        $fits = array();
        foreach(isset($set['keys']) && is_array($set['keys']) ? $set['keys'] : array() as $key)
        {
            if(!is_array($key) || !isset($key['kty'], $key['n'], $key['e']) || $key['kty'] !== 'RSA') continue;
            if(isset($key['use']) && $key['use'] !== 'sig') continue;
            if($id !== null && (!isset($key['kid']) || $key['kid'] !== $id)) continue;
            $fits[] = $key;
        }
        if(count($fits) !== 1) throw new mashangFailure(mashangFailure::UNTRUSTED, 'ID token: its key is not among the issuer\'s');
        return $this->pem($this->unbase64url($fits[0]['n']), $this->unbase64url($fits[0]['e']));
    }

    /** A public key as openssl reads it (RFC 5280, SubjectPublicKeyInfo of rsaEncryption). */
    private function pem($modulus, $exponent)
    {
        $rsaEncryption = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        $key           = $this->der("\x30", $this->derInteger($modulus) . $this->derInteger($exponent));
        $info          = $this->der("\x30", $rsaEncryption . $this->der("\x03", "\x00" . $key));
        return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($info), 64, "\n") . "-----END PUBLIC KEY-----\n";
    }

    private function derInteger($bytes)
    {
        $bytes = ltrim($bytes, "\x00");
        if($bytes === '' || ord($bytes[0]) > 0x7f) $bytes = "\x00" . $bytes;
        return $this->der("\x02", $bytes);
    }

    private function der($tag, $content)
    {
        $length = strlen($content);
        if($length < 0x80) return $tag . chr($length) . $content;
        $bytes = ltrim(pack('N', $length), "\x00");
        return $tag . chr(0x80 | strlen($bytes)) . $bytes . $content;
    }

    /** The object in an answer of 200. */
    private function json($answer, $what)
    {
        $object = $answer['status'] === 200 ? json_decode($answer['body'], true) : null;
        if(!is_array($object)) throw new mashangFailure(mashangFailure::UNREACHABLE, "$what: status {$answer['status']}, or no JSON");
        return $object;
    }

    private function random()
    {
        return $this->base64url(random_bytes(32));
    }

    private function base64url($bytes)
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    private function unbase64url($text)
    {
        return is_string($text) ? (string)base64_decode(strtr($text, '-_', '+/'), false) : '';
    }
}
