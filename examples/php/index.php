<?php
/** A website with "scan to log in", in plain PHP. */

declare(strict_types=1);
ini_set('display_errors', '0'); // what goes wrong is for the log, whatever php.ini says
set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    return error_reporting() & $level ? throw new ErrorException($message, 0, $level, $file, $line) : false;
});
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

/** Tabs of one browser that may be signing in at the same time. */
const TABS = 5;

/** What this browser has begun. A session may hold something else under this name that an older copy of this file wrote. */
function under_way(): array
{
    $begun = $_SESSION['begun'] ?? [];
    return is_array($begun) ? array_values(array_filter($begun, is_array(...))) : [];
}

/** Sends the visitor to Mashang; what must fit when they come back stays in the session, by state: there may be several tabs. */
function sign_in(array $provider, string $client_id, string $own_url): never
{
    $begun = ['state' => base64url(random_bytes(32)), 'nonce' => base64url(random_bytes(32)), 'verifier' => base64url(random_bytes(32))];
    $_SESSION['begun'] = array_slice([...under_way(), $begun], -TABS);
    go(text_in($provider, 'authorization_endpoint') . '?' . http_build_query([
        'response_type' => 'code', 'client_id' => $client_id, 'redirect_uri' => "$own_url/callback", 'scope' => 'openid profile',
        'state' => $begun['state'], 'nonce' => $begun['nonce'],
        'code_challenge' => base64url(hash('sha256', $begun['verifier'], true)), 'code_challenge_method' => 'S256',
    ]));
}

/** A parameter of the answer, if it is text. */
function said(string $name): string
{
    return is_string($_GET[$name] ?? null) ? $_GET[$name] : '';
}

/** What this browser began under this state, once. */
function take_begun(string $state): array
{
    foreach (under_way() as $at => $begun) {
        if (hash_equals($begun['state'], $state)) {
            $_SESSION['begun'] = array_diff_key(under_way(), [$at => true]);
            return $begun;
        }
    }
    throw new Refused('this browser did not begin this sign-in');
}

/** The answer that Mashang sent the visitor back with: state, issuer, code, ID token, name. */
function come_back(array $provider, string $client_id, #[SensitiveParameter] string $client_secret, string $own_url): never
{
    $begun = take_begun(said('state'));
    if (said('iss') !== $provider['issuer']) { // RFC 9207, of a refusal too
        throw new Refused('the answer is of another issuer');
    }
    if (isset($_GET['error'])) {
        throw new Refused('the login service said ' . preg_replace('/\W+/', ' ', said('error')));
    }
    $basic = base64_encode(rawurlencode($client_id) . ':' . rawurlencode($client_secret));
    $tokens = call(text_in($provider, 'token_endpoint'), ["Authorization: Basic $basic"], [
        'grant_type' => 'authorization_code', 'code' => said('code'), 'redirect_uri' => "$own_url/callback",
        'code_verifier' => $begun['verifier'],
    ]);
    $claims = id_token_claims(text_in($tokens, 'id_token'), $provider, $client_id, $begun['nonce']);
    $person = call(text_in($provider, 'userinfo_endpoint'), ['Authorization: Bearer ' . text_in($tokens, 'access_token')]);
    if (($person['sub'] ?? null) !== $claims['sub']) {
        throw new Refused('userinfo tells of another person');
    }
    session_regenerate_id(true);
    // Your own user is the one with this sub. The other tabs' sign-ins go on.
    $name = is_string($person['name'] ?? null) ? $person['name'] : null;
    $_SESSION = ['sub' => $claims['sub'], 'name' => $name, 'id_token' => $tokens['id_token'], 'begun' => under_way()];
    go('/');
}

/** Ends our session, then Mashang's if it answers. */
function sign_out(string $issuer, string $client_id, string $own_url): never
{
    $query = ['post_logout_redirect_uri' => "$own_url/", 'client_id' => $client_id, 'id_token_hint' => $_SESSION['id_token'] ?? null];
    session_destroy();
    try {
        $end = text_in(discover($issuer), 'end_session_endpoint');
    } catch (Throwable) {
        go('/'); // signed out here in any case
    }
    go($end . '?' . http_build_query($query));
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
} catch (Refused $refused) {
    http_response_code(400);
    header('Content-Type: text/plain; charset=utf-8');
    echo "Not signed in: {$refused->getMessage()}\n";
} catch (Throwable $error) {
    // What went wrong here is for the log: it may name addresses, files and more.
    error_log($error::class . ': ' . $error->getMessage());
    http_response_code(502);
    header('Content-Type: text/plain; charset=utf-8');
    echo "The login service does not answer as it should. Please try again later.\n";
}
