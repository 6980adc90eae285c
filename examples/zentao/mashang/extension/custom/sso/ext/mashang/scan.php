<?php
/**
 * Scan to log in, as ZenTao sees it: three addresses of module sso, what is kept in the session, and who is signed in.
 *
 *   sso-scanlogin     → Mashang, with a fresh flow in the session
 *   sso-scancallback  ← Mashang: the member is bound → signed in; is not → one sign-in at ZenTao's login page, then
 *   sso-scanbind        asks, and binds by POST with the password of the account
 *
 * In `$_SESSION['mashang']`: `flows`, sign-ins under way; `pending`, the member who scanned and is not bound yet.
 */
require_once __DIR__ . '/oidc.php';
require_once __DIR__ . '/bindings.php';
require_once __DIR__ . '/words.php';
require_once __DIR__ . '/page.php';

class mashangScan
{
    /** Tabs of one browser that may be signing in at the same time. */
    const FLOWS = 5;

    /** How long a member who scanned may take to sign in with the password. */
    const PENDING = 900;

    private $control;
    private $app;
    private $config;
    private $words;
    private $page;
    private $bindings;

    public function __construct($control)
    {
        $this->control  = $control;
        $this->app      = $control->app;
        $this->config   = $control->config;
        $this->words    = mashangWords::of($this->app->getClientLang());
        $this->page     = new mashangPage($this->app->getClientLang(), $this->words);
        $this->bindings = new mashangBindings($control->dao);
        if(!isset($_SESSION['mashang'])) $_SESSION['mashang'] = array('flows' => array(), 'pending' => null);
        header('Cache-Control: no-store');
    }

    /** @param string $referer where to go afterwards, in ZenTao's base64 */
    public function start($referer)
    {
        try
        {
            $wishes = array('prompt' => 'login', 'ui_locales' => mashangWords::isChinese($this->app->getClientLang()) ? 'zh-CN' : 'en');
            if($this->config->mashang->channel !== '') $wishes['login_hint'] = $this->config->mashang->channel;
            list($url, $flow) = $this->oidc()->begin($wishes);
        }
        catch(mashangFailure $failure)
        {
            return $this->failed($failure);
        }
        $flow['home'] = $this->ownPath($referer);
        $_SESSION['mashang']['flows'][] = $flow;
        $_SESSION['mashang']['flows']   = array_slice($_SESSION['mashang']['flows'], -self::FLOWS);
        $this->go($url);
    }

    public function finish()
    {
        /* As it was sent: ZenTao's filters rewrite what they take for an attack. */
        parse_str(isset($_SERVER['QUERY_STRING']) ? $_SERVER['QUERY_STRING'] : '', $answer);
        try
        {
            $flow   = $this->takeFlow(isset($answer['state']) ? $answer['state'] : '');
            $member = $this->oidc()->finish($answer, $flow);
        }
        catch(mashangFailure $failure)
        {
            return $this->failed($failure);
        }

        $account = $this->bindings->accountOf($member);
        if($account !== null) return $this->signIn($account, $flow['home']);
        if($this->isLogon()) return $this->page->show('unbound_signed_in', array($this->words['sign_out'] => $this->control->createLink('user', 'logout')));

        $_SESSION['mashang']['pending'] = array
        (
            'sub'   => $member['sub'],
            'name'  => isset($member['name']) && is_string($member['name']) ? $member['name'] : '',
            'since' => time(),
            'home'  => $flow['home'],
            'token' => bin2hex(random_bytes(16)),
        );
        $this->go($this->passwordLink());
    }

    public function bind()
    {
        $pending = self::pending();
        if(!$pending) return $this->page->show('stale', $this->ways());
        if(!$this->isLogon()) return $this->go($this->passwordLink());

        $account = $this->app->user->account;
        $sent    = !empty($_POST['token']) && is_string($_POST['token']) && hash_equals($pending['token'], $_POST['token']);
        $refusal = $sent ? $this->refusal($account, $this->typedPassword()) : '';
        if(!$sent || $refusal !== '')
        {
            return $this->page->ask($pending, $account, $this->bindings->hasMember($account), $this->scanLink('scanbind'), $this->config->webRoot, $refusal);
        }
        $_SESSION['mashang']['pending'] = null;
        $this->bindings->bind($account, $pending['sub']);
        $this->note($account, 'bound');
        $this->go($pending['home']);
    }

    /** The member who scanned in this browser and has yet to sign in with the password, if it was a moment ago. */
    public static function pending()
    {
        $pending = isset($_SESSION['mashang']['pending']) ? $_SESSION['mashang']['pending'] : null;
        return $pending && time() - $pending['since'] <= self::PENDING ? $pending : null;
    }

    /**
     * Why this is not the account's own person, as a word of the page; empty if it is. Wrong ones count as at ZenTao's login page.
     *
     * That the session is signed in is no proof: ZenTao signs in by the cookies of 保持登录 alone, and takes over a session id
     * that a link brings along.
     */
    private function refusal($account, $password)
    {
        $users = $this->control->loadModel('user');
        if($users->checkLocked($account)) return 'ask_locked';
        if($password === '') return 'ask_password_missing';
        $user = $this->isHash($account, $password) ? null : $users->identify($account, $password);
        if(!$user)
        {
            $users->failPlus($account);
            $this->note($account, 'not bound, wrong password');
            return $users->checkLocked($account) ? 'ask_locked' : 'ask_password_wrong';
        }
        $users->cleanLocked($account);
        /* `identify` wrote a new time of the last visit, which the cookies of 保持登录 are made of. */
        if(isset($_COOKIE['za']) && $_COOKIE['za'] === $account) $users->keepLogin($user);
        return '';
    }

    /**
     * Whether this is a hash that ZenTao's `identify` accepts for the password: what the database holds, that with the number of
     * the login page, or the cookie of 保持登录. Compared as `identify` does. Anything else, of any length, is for it to judge.
     */
    private function isHash($account, $password)
    {
        $user = $this->control->dao->select('*')->from(TABLE_USER)->where('account')->eq($account)->andWhere('deleted')->eq('0')->fetch();
        if(!$user) return false;
        $rand = isset($_SESSION['rand']) ? $_SESSION['rand'] : '';
        return in_array($password, array((string)$user->password, md5($user->password . $rand), sha1($user->account . $user->password . $user->last)));
    }

    /** As it was typed: ZenTao's filters rewrite what they take for an attack. Its login page cuts spaces at the ends too. */
    private function typedPassword()
    {
        parse_str((string)file_get_contents('php://input'), $form);
        if(!isset($form['password'])) $form = $_POST;
        return isset($form['password']) && is_string($form['password']) ? trim($form['password']) : '';
    }

    /** By ZenTao's own way in. No account is ever made here, and nobody becomes an administrator. */
    private function signIn($account, $home)
    {
        $user = $this->control->dao->select('*')->from(TABLE_USER)->where('account')->eq($account)->andWhere('deleted')->eq('0')->fetch();
        if(!$user) return $this->page->show('disabled', $this->ways());

        $this->rotateSession();
        /* `last` is a number in ZenTao 18 and a date since. No wish to change a weak password: whoever scans may not know it. */
        $last = is_numeric($user->last) ? time() : helper::now();
        $this->control->dao->update(TABLE_USER)->set('visits = visits + 1')->set('ip')->eq(helper::getRemoteIp())->set('last')->eq($last)->where('account')->eq($account)->exec();
        $user->lastTime       = $user->last;
        $user->last           = helper::now();
        $user->modifyPassword = false;
        $this->control->loadModel('user')->login($user);
        $this->go($home);
    }

    /**
     * A session that a stranger may have chosen ends, and another with an id that nobody knows begins.
     *
     * ZenTao 20 and later keep sessions by a handler that remembers its file, so session_regenerate_id() would write the
     * new session into the old file: a handler of its own for the new one.
     */
    private function rotateSession()
    {
        $byHandler = ini_get('session.save_handler') === 'user' && class_exists('ztSessionHandler');
        session_destroy();
        if($byHandler)
        {
            $handler = new ztSessionHandler();
            if($handler instanceof SessionHandlerInterface) session_set_save_handler($handler, true);
        }
        session_id(bin2hex(random_bytes(16)));
        session_start();
        $_SESSION = array();
        $this->app->sessionID = session_id();
    }

    /** The flow of this state; nobody gets it twice. */
    private function takeFlow($state)
    {
        foreach($_SESSION['mashang']['flows'] as $at => $flow)
        {
            if(!is_string($state) || !hash_equals($flow['state'], $state)) continue;
            unset($_SESSION['mashang']['flows'][$at]);
            return $flow;
        }
        throw new mashangFailure(mashangFailure::STALE, 'no sign-in with this state is under way in this session');
    }

    private function oidc()
    {
        $settings = $this->config->mashang;
        return new mashangOidc($settings->issuer, $settings->clientID, $settings->clientSecret, $this->redirectURI());
    }

    /** What is registered at Mashang: from the settings, not from the Host header that a request brings. */
    private function redirectURI()
    {
        $root = rtrim($this->config->mashang->url, '/');
        $name = 'sso' . $this->config->requestFix . 'scancallback.html';
        if($this->config->requestType === 'PATH_INFO')  return "$root/$name";
        if($this->config->requestType === 'PATH_INFO2') return "$root/index.php/$name";
        return "$root/index.php?{$this->config->moduleVar}=sso&{$this->config->methodVar}=scancallback";
    }

    /** A path of this ZenTao, or its root: never an address that a link brought from elsewhere. */
    private function ownPath($referer)
    {
        $path = (string)helper::safe64Decode((string)$referer);
        $own  = strpos($path, $this->config->webRoot) === 0 && preg_match('#^/(?![/\\\\])[\x21-\x7e]*$#', $path);
        /* And no page that only makes sense on the way in. */
        return $own && !preg_match('/(login|logout|deny|ajax|block|sso)/i', $path) ? $path : $this->config->webRoot;
    }

    private function scanLink($method)
    {
        return $this->control->createLink('sso', $method);
    }

    /** ZenTao's own login page, which leads on to `scanbind`. */
    private function passwordLink()
    {
        return $this->control->createLink('user', 'login', 'referer=' . helper::safe64Encode($this->scanLink('scanbind')));
    }

    private function ways()
    {
        return array($this->words['again'] => $this->scanLink('scanlogin'), $this->words['with_password'] => $this->control->createLink('user', 'login'));
    }

    private function isLogon()
    {
        return $this->control->loadModel('user')->isLogon();
    }

    private function failed($failure)
    {
        error_log('mashang: ' . $failure->reason . ': ' . preg_replace('/[\x00-\x1f]+/', ' ', $failure->getMessage()));
        $this->page->show($failure->reason, $this->ways());
    }

    private function note($account, $what)
    {
        error_log("mashang: account $account: $what");
    }

    private function go($url)
    {
        session_write_close();
        $this->control->locate($url);
    }
}
