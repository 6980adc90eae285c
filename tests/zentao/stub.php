<?php
/**
 * A stand-in for the little of ZenTao that the extension calls, so that its real files can be driven without a ZenTao:
 * routing, session, a query builder over a JSON file, and a password sign-in. Served by `php -S`, PATH_INFO addresses.
 *
 * `/login?referer=…` is the button's address, where the tests' browser without a screen begins.
 *
 * Environment: STUB_TREE (a folder with config/ext and extension/custom, as the zip has them), STUB_DATA (the JSON file:
 * tables of rows), STUB_LANG.
 */
error_reporting(E_ALL);
set_error_handler(function($level, $message, $file, $line) { throw new ErrorException($message, 0, $level, $file, $line); });

require __DIR__ . '/dao.php';

class helper
{
    public static function importControl($module) {}
    public static function safe64Encode($text) { return strtr(base64_encode($text), '/', '.'); }
    public static function safe64Decode($text) { return base64_decode(strtr($text, '.', '/')); }
    public static function now() { return date('Y-m-d H:i:s'); }
    public static function getRemoteIp() { return $_SERVER['REMOTE_ADDR']; }
    public static function createLink($module, $method, $vars = '')
    {
        parse_str(str_replace('+', '%2B', $vars), $values);
        return "/$module-" . implode('-', array_merge(array($method), array_values($values))) . '.html';
    }
}

/** As ZenTao's model of the same name, which takes a text of 32 or 40 characters for a hash and 40 for the cookie of 保持登录. */
class user
{
    const FAIL_TIMES = 6;

    public function isLogon() { return isset($_SESSION['user']); }
    public function login($user) { $_SESSION['user'] = $user; }
    public function checkLocked($account) { return !empty($_SESSION["$account.locked"]); }
    public function cleanLocked($account) { unset($_SESSION['loginFails'], $_SESSION["$account.locked"]); }
    public function keepLogin($user) { setcookie('za', $user->account, 0, '/'); setcookie('zp', self::kept($user), 0, '/'); }

    public function failPlus($account)
    {
        $_SESSION['loginFails'] = (isset($_SESSION['loginFails']) ? $_SESSION['loginFails'] : 0) + 1;
        if($_SESSION['loginFails'] >= self::FAIL_TIMES) $_SESSION["$account.locked"] = true;
        return $_SESSION['loginFails'];
    }

    /** `last` moves with every visit, as the seconds do in ZenTao. A row with `ldap` is for a plug-in that asks elsewhere. */
    public function identify($account, $password)
    {
        $user = (new dao())->select('*')->from(TABLE_USER)->where('account')->eq($account)->andWhere('deleted')->eq('0')->fetch();
        if(!$user || $password === '' || !self::fits($user, $password)) return false;
        $user->last ++;
        (new dao())->update(TABLE_USER)->set('visits = visits + 1')->set('last')->eq($user->last)->where('account')->eq($account)->exec();
        return $user;
    }

    private static function fits($user, $password)
    {
        if(strlen($password) === 32 && $password === (empty($_SESSION['rand']) ? $user->password : md5($user->password . $_SESSION['rand']))) return true;
        if(strlen($password) === 40 && $password === self::kept($user)) return true;
        return isset($user->ldap) ? $password === $user->ldap : md5($password) === $user->password;
    }

    private static function kept($user) { return sha1($user->account . $user->password . $user->last); }
}

class control
{
    public $app;
    public $config;
    public $dao;

    public function __construct()
    {
        global $app, $config;
        list($this->app, $this->config, $this->dao) = array($app, $config, new dao());
    }

    public function loadModel($name) { return new $name(); }
    public function createLink($module, $method, $vars = '') { return helper::createLink($module, $method, $vars); }
    public function locate($url) { header("Location: $url"); exit; }
}
class sso extends control {}

class application
{
    public $user;
    public $control;
    public $sessionID;
    public function getClientLang() { return getenv('STUB_LANG') ?: 'zh-cn'; }
}

session_name('zentaosid');
if(isset($_GET['zentaosid'])) session_id($_GET['zentaosid']);
session_start();
$app       = new application();
$app->user = isset($_SESSION['user']) ? $_SESSION['user'] : (object)array('account' => 'guest');
$config    = (object)array('webRoot' => '/', 'requestType' => 'PATH_INFO', 'requestFix' => '-', 'moduleVar' => 'm', 'methodVar' => 'f', 'openMethods' => array());
$filter    = (object)array('sso' => new stdclass());
foreach(glob(getenv('STUB_TREE') . '/config/ext/*.php') as $file) include $file;

$path   = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$parts  = explode('-', $path === '/login' ? 'sso-scanlogin-' . (isset($_GET['referer']) ? $_GET['referer'] : '') : basename($path, '.html'));
$module = array_shift($parts);
$method = array_shift($parts);
if("$module-$method" === 'user-login' && $_POST)
{
    $user = (new user())->identify($_POST['account'], $_POST['password']);
    if(!$user) { http_response_code(403); exit('wrong'); }
    (new user())->login($user);
    if(!empty($_POST['keepLogin'])) (new user())->keepLogin($user);
    header('Location: ' . helper::safe64Decode($parts[0]));
}
elseif("$module-$method" === 'user-login')
{
    $app->control = (object)array('view' => (object)array('referer' => $parts ? helper::safe64Decode($parts[0]) : ''));
    $_SESSION['rand'] = mt_rand();
    echo "<form id=\"loginForm\"><input name=\"verifyRand\" value=\"{$_SESSION['rand']}\" /></form>";
    include getenv('STUB_TREE') . '/extension/custom/user/ext/view/login.mashang.html.hook.php';
}
elseif($module === 'sso' && in_array("sso.$method", $config->openMethods, true))
{
    include getenv('STUB_TREE') . "/extension/custom/sso/ext/control/$method.php";
    call_user_func_array(array(new mysso(), $method), $parts);
}
else
{
    /* A page that needs a sign-in: the cookies of 保持登录 are one. */
    $users = new user();
    $kept  = isset($_COOKIE['za'], $_COOKIE['zp']) && !$users->isLogon() ? $users->identify($_COOKIE['za'], $_COOKIE['zp']) : false;
    if($kept) { $users->login($kept); $users->keepLogin($kept); $app->user = $kept; }
    header('Content-Type: application/json');
    echo json_encode(array('page' => $_SERVER['REQUEST_URI'], 'account' => $app->user->account, 'session' => session_id()));
}
