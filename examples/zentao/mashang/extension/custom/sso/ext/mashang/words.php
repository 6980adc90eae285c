<?php
/** What people read, in Chinese and English. Any other language of ZenTao's reads English. */
class mashangWords
{
    public static function isChinese($language)
    {
        return strpos($language, 'zh') === 0;
    }

    public static function of($language)
    {
        return self::isChinese($language) ? self::chinese() : self::english();
    }

    private static function chinese()
    {
        return array
        (
            'button'        => '企业微信扫码登录',
            'or'            => '或',
            'notice'        => '已确认您是企业微信成员“%s”。请用禅道账号和密码登录一次，之后扫码即可直接登录。',
            'notice_nobody' => '已确认您的企业微信身份。请用禅道账号和密码登录一次，之后扫码即可直接登录。',
            'again'         => '重新扫码',
            'with_password' => '用账号密码登录',
            'sign_out'      => '退出当前账号',
            'cancel'        => '不绑定',

            'unreachable'       => array('扫码登录暂时不可用', '禅道连不上扫码登录服务。请先用账号密码登录；如果一直这样，请告诉管理员。'),
            'denied'            => array('没有登录', '您在手机上取消了登录。'),
            'stale'             => array('这次扫码已失效', '可能等待太久、页面被刷新，或浏览器禁用了 Cookie。请重新扫码。'),
            'untrusted'         => array('没有登录', '扫码登录服务的答复没有通过校验，因此没有让任何人登录。请告诉管理员。'),
            'settings'          => array('扫码登录没有配置好', '请告诉管理员：禅道的扫码登录插件和扫码登录服务的设置不一致，详情在 PHP 的错误日志里。'),
            'disabled'          => array('账号已停用', '与您的企业微信绑定的禅道账号已被删除，不能登录。如有疑问请联系管理员。'),
            'unbound_signed_in' => array('还没有绑定', '这个企业微信成员还没有绑定禅道账号。请先退出当前账号，重新扫码，再用要绑定的账号和密码登录一次。'),

            'ask_title'   => '绑定企业微信',
            'ask'         => '以后，企业微信成员 %s 扫码即可登录禅道账号 %s。',
            'ask_nobody'  => '本人',
            'ask_replace' => '这个账号原来绑定的企业微信成员将不能再用扫码登录它。',
            'ask_not_you' => '如果刚才不是您用手机扫的码，请点“不绑定”。',
            'ask_yes'     => '绑定',

            'ask_password'         => '为确认是您本人，请再输入一次账号 %s 的密码',
            'ask_password_missing' => '请输入密码。',
            'ask_password_wrong'   => '密码不对，没有绑定，请重新输入。',
            'ask_locked'           => '密码输错次数过多，账号暂时被锁定，没有绑定。请过一会儿再试。',
        );
    }

    private static function english()
    {
        return array
        (
            'button'        => 'Sign in with WeCom',
            'or'            => 'or',
            'notice'        => 'You are the WeCom member “%s”. Sign in once with your ZenTao account and password; from then on scanning is enough.',
            'notice_nobody' => 'WeCom knows you. Sign in once with your ZenTao account and password; from then on scanning is enough.',
            'again'         => 'Scan again',
            'with_password' => 'Sign in with a password',
            'sign_out'      => 'Sign out of this account',
            'cancel'        => 'Do not bind',

            'unreachable'       => array('Scanning is not available now', 'ZenTao cannot reach the login service. Sign in with your password; if this goes on, tell your administrator.'),
            'denied'            => array('Not signed in', 'You cancelled on your phone.'),
            'stale'             => array('This scan is over', 'It took too long, the page was loaded again, or this browser refuses cookies. Scan again.'),
            'untrusted'         => array('Not signed in', 'The answer of the login service did not pass the checks, so nobody was signed in. Tell your administrator.'),
            'settings'          => array('Scanning is not set up', 'Tell your administrator: the settings of this plugin and of the login service do not fit. Details are in PHP\'s error log.'),
            'disabled'          => array('Account closed', 'The ZenTao account bound to you has been deleted. Ask your administrator.'),
            'unbound_signed_in' => array('Not bound yet', 'This WeCom member is not bound to a ZenTao account. Sign out, scan again, and sign in once with the account and password to bind.'),

            'ask_title'   => 'Bind WeCom',
            'ask'         => 'From now on, WeCom member %s signs in to the ZenTao account %s by scanning.',
            'ask_nobody'  => '(you)',
            'ask_replace' => 'The member bound to this account so far will not sign in to it any more.',
            'ask_not_you' => 'If it was not you who just scanned, do not bind.',
            'ask_yes'     => 'Bind',

            'ask_password'         => 'To show that it is you, enter the password of %s once more',
            'ask_password_missing' => 'Enter the password.',
            'ask_password_wrong'   => 'This is not the password, and nothing was bound. Try again.',
            'ask_locked'           => 'Too many wrong passwords: the account is locked for some minutes, and nothing was bound.',
        );
    }
}
