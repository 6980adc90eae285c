<?php
/**
 * Just enough OpenID Connect, with nothing but PHP's own openssl: discovery, one POST, and the checks of an ID token that
 * is signed with RS256. Where you can install packages, take a library that others look after instead.
 */

declare(strict_types=1);

/** Why somebody is not signed in, in words that are for them to read. Anything else that is thrown is for the log. */
class Refused extends RuntimeException
{
}

/** GET, or POST with a form; returns the JSON that came, or throws. */
function call(string $url, #[SensitiveParameter] array $headers = [], #[SensitiveParameter] ?array $form = null): array
{
    $answer = @file_get_contents($url, false, stream_context_create(['http' => [
        'method' => $form === null ? 'GET' : 'POST',
        'header' => [...$headers, ...($form === null ? [] : ['Content-Type: application/x-www-form-urlencoded'])],
        'content' => http_build_query($form ?? []),
        'timeout' => 10, 'follow_location' => 0, 'ignore_errors' => true,
    ]]));
    $said = json_decode($answer ?: '', true);
    if (!is_array($said)) {
        throw new RuntimeException("no answer from $url");
    }
    if (isset($said['error'])) {
        $code = is_string($said['error']) ? preg_replace('/\W+/', ' ', $said['error']) : 'something unreadable';
        throw $code === 'invalid_grant' ? new Refused('the code is used or too old') : new RuntimeException("$url said $code");
    }
    return $said;
}

/** A text that an answer has to hold. */
function text_in(#[SensitiveParameter] array $answer, string $name): string
{
    return is_string($answer[$name] ?? null) ? $answer[$name] : throw new UnexpectedValueException("there is no $name in the answer");
}

/** Where everything is; worth a cache on a busy site. */
function discover(string $issuer): array
{
    $provider = call("$issuer/.well-known/openid-configuration");
    return ($provider['issuer'] ?? null) === $issuer ? $provider : throw new RuntimeException('the issuer calls itself something else');
}

function from_base64url(string $text): string
{
    return (string) base64_decode(strtr($text, '-_', '+/'), true);
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

/** The claims of an ID token that is signed by the provider, for us, now, and answers our request; or throws. */
function id_token_claims(#[SensitiveParameter] string $token, array $provider, string $client_id, string $nonce): array
{
    [$head, $body, $signature] = explode('.', $token) + ['', '', ''];
    $header = json_decode(from_base64url($head), true);
    $claims = json_decode(from_base64url($body), true);
    $keys = call(text_in($provider, 'jwks_uri'))['keys'] ?? null;
    $keys = array_filter(is_array($keys) ? $keys : [], fn ($key) => is_array($key) && ($key['kty'] ?? null) === 'RSA' && ($key['kid'] ?? null) === ($header['kid'] ?? null));
    $signed = ($header['alg'] ?? null) === 'RS256' && count($keys) === 1
        && openssl_verify("$head.$body", from_base64url($signature), public_key(reset($keys)), OPENSSL_ALGO_SHA256) === 1;
    $problem = match (true) {
        !$signed => 'signature',
        ($claims['iss'] ?? null) !== $provider['issuer'] => 'issuer',
        (array) ($claims['aud'] ?? null) !== [$client_id] => 'audience',
        !is_int($claims['exp'] ?? null) || $claims['exp'] < time() => 'expired',
        ($claims['nonce'] ?? null) !== $nonce => 'nonce',
        !is_string($claims['sub'] ?? null) => 'subject',
        default => null,
    };
    return $problem === null ? $claims : throw new Refused("the ID token is not good: $problem");
}

/** An RSA key of a key set as openssl reads it: SubjectPublicKeyInfo in PEM (RFC 3279). */
function public_key(array $jwk): string
{
    $der = function (int $tag, string $value): string {
        $bytes = ltrim(pack('N', strlen($value)), "\0");
        return chr($tag) . (strlen($value) < 128 ? chr(strlen($value)) : chr(0x80 | strlen($bytes)) . $bytes) . $value;
    };
    $integer = fn (string $number) => $der(0x02, ord($number[0]) > 0x7f ? "\0$number" : $number);
    $key = $der(0x30, $integer(from_base64url($jwk['n'])) . $integer(from_base64url($jwk['e'])));
    $rsa = hex2bin('300d06092a864886f70d0101010500');
    return "-----BEGIN PUBLIC KEY-----\n" . base64_encode($der(0x30, $rsa . $der(0x03, "\0$key"))) . "\n-----END PUBLIC KEY-----";
}
