<?php
/** A website with "scan to log in", in plain PHP. */

declare(strict_types=1);
require __DIR__ . '/oidc.php';

$issuer = getenv('ISSUER') ?: 'http://127.0.0.1:8080';
$client_id = getenv('CLIENT_ID') ?: 'my-site';
$client_secret = getenv('CLIENT_SECRET') ?: '';
$own_url = getenv('OWN_URL') ?: 'http://127.0.0.1:' . (getenv('PORT') ?: '3000');

session_set_cookie_params(['httponly' => true, 'samesite' => 'Lax', 'secure' => str_starts_with($own_url, 'https:')]);
session_start(['use_strict_mode' => true]);

function go(string $to): never
{
    header("Location: $to", true, 303);
    exit;
}

/** Sends the visitor to Mashang; what must fit when they come back stays in the session. */
function sign_in(array $provider, string $client_id, string $own_url): never
{
    $begun = ['state' => base64url(random_bytes(32)), 'nonce' => base64url(random_bytes(32)), 'verifier' => base64url(random_bytes(32))];
    $_SESSION['begun'] = $begun;
    go($provider['authorization_endpoint'] . '?' . http_build_query([
        'response_type' => 'code', 'client_id' => $client_id, 'redirect_uri' => "$own_url/callback", 'scope' => 'openid profile',
        'state' => $begun['state'], 'nonce' => $begun['nonce'],
        'code_challenge' => base64url(hash('sha256', $begun['verifier'], true)), 'code_challenge_method' => 'S256',
    ]));
}

/** The answer that Mashang sent the visitor back with: state, code, ID token, name. */
function come_back(array $provider, string $client_id, string $client_secret, string $own_url): never
{
    $begun = $_SESSION['begun'] ?? null;
    unset($_SESSION['begun']); // good for one answer
    if ($begun === null || !hash_equals($begun['state'], (string) ($_GET['state'] ?? ''))) {
        throw new RuntimeException('this browser did not begin this sign-in');
    }
    if (isset($_GET['error'])) {
        throw new RuntimeException((string) $_GET['error']);
    }
    if (($_GET['iss'] ?? $provider['issuer']) !== $provider['issuer']) {
        throw new RuntimeException('the answer is from somebody else');
    }
    $basic = base64_encode(rawurlencode($client_id) . ':' . rawurlencode($client_secret));
    $tokens = call($provider['token_endpoint'], ["Authorization: Basic $basic"], [
        'grant_type' => 'authorization_code', 'code' => $_GET['code'] ?? '', 'redirect_uri' => "$own_url/callback",
        'code_verifier' => $begun['verifier'],
    ]);
    $claims = id_token_claims($tokens['id_token'], $provider, $client_id, $begun['nonce']);
    $person = call($provider['userinfo_endpoint'], ["Authorization: Bearer {$tokens['access_token']}"]);
    if ($person['sub'] !== $claims['sub']) {
        throw new RuntimeException('userinfo tells of another person');
    }
    session_regenerate_id(true);
    // Your own user is the one with this sub.
    $_SESSION = ['sub' => $claims['sub'], 'name' => $person['name'] ?? null, 'id_token' => $tokens['id_token']];
    go('/');
}

/** Ends our session, then Mashang's if it answers. */
function sign_out(string $issuer, string $client_id, string $own_url): never
{
    $query = ['post_logout_redirect_uri' => "$own_url/", 'client_id' => $client_id, 'id_token_hint' => $_SESSION['id_token'] ?? null];
    session_destroy();
    try {
        $provider = discover($issuer);
    } catch (RuntimeException) {
        go('/');
    }
    go($provider['end_session_endpoint'] . '?' . http_build_query($query));
}

function home(): void
{
    $text = fn (string $value) => htmlspecialchars($value, ENT_QUOTES); // people choose their names
    echo isset($_SESSION['sub'])
        ? "<p>Hello {$text($_SESSION['name'] ?? 'nobody in particular')}, you are {$text($_SESSION['sub'])}.</p>"
            . '<form method="post" action="/logout"><button>Sign out</button></form>'
        : '<a href="/login">Sign in</a>';
}

try {
    match ($_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
        'GET /login' => sign_in(discover($issuer), $client_id, $own_url),
        'GET /callback' => come_back(discover($issuer), $client_id, $client_secret, $own_url),
        'POST /logout' => sign_out($issuer, $client_id, $own_url),
        'GET /' => home(),
        default => http_response_code(404),
    };
} catch (RuntimeException $error) {
    http_response_code(400);
    header('Content-Type: text/plain; charset=utf-8');
    echo "Not signed in: {$error->getMessage()}\n";
}
