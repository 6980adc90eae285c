//! Numbers in answers to calls (WeChat fact sheet §2.7 and §5, mini-program fact sheet §1 to §3 and §6), rising.

use super::Turn::{Developer, Nobody, Operator, User, WeChat};
use super::{Explanation, row};

const REPORT_ZH: &str = "请求由登录服务发出，请把这个错误码和 rid 报告给它的开发者。";
const REPORT_EN: &str =
    "The login server composed this request: report the number and the rid to its developers.";
const AGAIN_ZH: &str = "请重新扫码登录。";
const AGAIN_EN: &str = "Scan again to start over.";
const TOKEN_ZH: &str = "登录服务会自动换新的再试一次；如果一直出现，请检查是否有两个系统都用 cgi-bin/token 取这个应用的 access_token，互相把对方的挤掉；渠道配了 token_source 的，再看它给的是不是旧的。";
const TOKEN_EN: &str = "The login server fetches a new one and tries again by itself. If it persists, look for two systems that both fetch this app's token by cgi-bin/token and so end each other's; where the channel has a token_source, check that it does not hand out an old one.";

pub(super) const TABLE: &[Explanation] = &[
    row(
        -1,
        WeChat,
        ("微信系统繁忙。", "稍等片刻再重新扫码；如果持续出现，请查看微信平台的公告。"),
        (
            "WeChat's system is busy.",
            "Wait a moment and scan again; if it persists, look for notices from WeChat.",
        ),
    ),
    row(0, Nobody, ("请求成功。", "无需处理。"), ("The call succeeded.", "Nothing to do.")),
    row(
        40001,
        Operator,
        (
            "凭证无效：换取登录凭证时表示 AppSecret 不对，其他调用表示 access_token 无效或已被更新的取代。",
            "如果所有人都无法登录，请核对渠道里的 AppSecret：网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置；如果只是偶尔出现，重新扫码即可。",
        ),
        (
            "A credential is not valid: the AppSecret when a code is exchanged, otherwise an access_token that is wrong or has been replaced.",
            "If nobody can log in, compare the channel's secret. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置. If it is rare, scanning again is enough.",
        ),
    ),
    row(
        40002,
        Developer,
        ("grant_type 参数不正确。", REPORT_ZH),
        ("The grant_type is not valid.", REPORT_EN),
    ),
    row(
        40003,
        User,
        ("openid 不正确，或不属于这个应用。", AGAIN_ZH),
        ("The openid is wrong or belongs to another app.", AGAIN_EN),
    ),
    row(
        40013,
        Operator,
        (
            "AppID 不存在或填写有误。",
            "请核对渠道里的 AppID，注意首尾空格，也不要把公众号、网站应用和小程序的 AppID 混用。网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置。",
        ),
        (
            "The AppID does not exist or is mistyped.",
            "Compare the channel's appid, without stray spaces, and do not mix those of website apps, official accounts and mini-programs. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置.",
        ),
    ),
    row(40014, Operator, ("access_token 不正确。", TOKEN_ZH), ("The access_token is not valid.", TOKEN_EN)),
    row(
        40029,
        User,
        (
            "登录 code 无效：写错、过期、已被使用，或属于另一个应用。",
            "请重新扫码登录；如果每次都出现，请核对渠道里的 AppID 和 AppSecret 是否属于同一个应用。小程序则多半是页面（或开发者工具）用的 AppID 和渠道里的不一样；AppSecret 不对是 40125。",
        ),
        (
            "The login code is not valid: wrong, expired, used, or another app's.",
            "Scan again; if it happens every time, check that the channel's appid and secret belong to the same app. With a mini-program, its page (or the developer tools) then most often runs under another appid than the channel's; a wrong secret is 40125.",
        ),
    ),
    row(
        40030,
        User,
        ("refresh_token 无效或已过期。", "请重新扫码授权。"),
        ("The refresh_token is wrong or expired.", "Scan again to authorize anew."),
    ),
    row(
        40033,
        Developer,
        ("请求里含有不允许的字符。", REPORT_ZH),
        ("The request holds characters that are not allowed.", REPORT_EN),
    ),
    row(40035, Developer, ("请求参数不合法。", REPORT_ZH), ("A parameter is not valid.", REPORT_EN)),
    row(
        40052,
        Developer,
        ("action_name 不正确，无法生成带参数二维码。", REPORT_ZH),
        ("The action_name is not valid, so no parametric QR code was made.", REPORT_EN),
    ),
    row(
        40053,
        Developer,
        ("action_info 不正确，无法生成带参数二维码。", REPORT_ZH),
        ("The action_info is not valid, so no parametric QR code was made.", REPORT_EN),
    ),
    row(
        40097,
        Developer,
        (
            "小程序接口的参数不正确，或已发布的链接规则不能修改。",
            "修改已发布的规则前，请先在公众平台（mp.weixin.qq.com）的小程序后台把它下线；否则请把这个错误码和 rid 报告给登录服务的开发者。",
        ),
        (
            "A parameter of a mini-program call is not valid, or a published link rule cannot be changed.",
            "To change a published rule, take it offline on mp.weixin.qq.com first; otherwise report the number and the rid to the login server's developers.",
        ),
    ),
    row(
        40125,
        Operator,
        (
            "AppSecret 不正确。",
            "请重置 AppSecret 并填入渠道的 secret：网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置。重置后旧的立即失效，其他使用它的系统也要一起更换。",
        ),
        (
            "The AppSecret is wrong.",
            "Reset the AppSecret and put it into the channel's secret. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置. The old one stops working at once, so change it in every system that uses it.",
        ),
    ),
    row(
        40129,
        Developer,
        ("二维码的场景值不正确。", REPORT_ZH),
        ("The QR code's scene value is not valid.", REPORT_EN),
    ),
    row(
        40131,
        Operator,
        ("永久二维码的数量已达上限。", "请改用临时二维码，登录不需要永久二维码。"),
        (
            "The limit of permanent QR codes is reached.",
            "Use temporary QR codes; a login needs no permanent one.",
        ),
    ),
    row(
        40163,
        User,
        (
            "登录 code 已经用过一次，通常是回调页面被打开了两次。",
            "如果页面没有自动进入，请重新扫码；不要刷新或后退到回调页面。小程序没有回调页面，那里是同一个 code 被页面和服务器用了两次：每次扫码都要用 wx.login 新取的。",
        ),
        (
            "The login code was used before, most often because the callback page opened twice.",
            "If the page did not move on by itself, scan again; do not reload the callback page or go back to it. A mini-program has no such page: there the same code was used twice, by its page and by a server, and each scan needs a fresh one from wx.login.",
        ),
    ),
    row(
        40164,
        Operator,
        (
            "服务器的出口 IP 不在公众号或小程序的 IP 白名单里。",
            "请把错误信息里的 IP 加入白名单：在公众平台（mp.weixin.qq.com），公众号是 设置与开发 › 基本配置 › IP白名单，小程序是 开发管理 › 开发设置 › IP白名单。",
        ),
        (
            "The server's IP address is not on the IP list of the official account or mini-program.",
            "Add the address named in the message on mp.weixin.qq.com: for an official account under 设置与开发 › 基本配置 › IP白名单, for a mini-program under 开发管理 › 开发设置 › IP白名单.",
        ),
    ),
    row(
        40169,
        Developer,
        ("小程序码的场景值长度不对（应为 1 到 32 个字符），或请求不是 JSON。", REPORT_ZH),
        (
            "The scene of the mini-program code does not have 1 to 32 characters, or the request is not JSON.",
            REPORT_EN,
        ),
    ),
    row(
        40188,
        Operator,
        (
            "scope 不正确，或应用没有这个 scope 的权限。",
            "请确认渠道类型和应用类型一致：网站应用只能用 snsapi_login，服务号只能用 snsapi_base 和 snsapi_userinfo。",
        ),
        (
            "The scope is not valid or not granted to this app.",
            "Match the channel's kind with the app's: a website app has snsapi_login only, a service account snsapi_base and snsapi_userinfo.",
        ),
    ),
    row(
        40226,
        User,
        (
            "微信判定该用户为高风险，拒绝了这次登录。",
            "请换一个微信号或其他登录方式；是否解除限制由微信决定。",
        ),
        (
            "WeChat considers this person a high risk and refused the login.",
            "Use another WeChat account or another way to log in; only WeChat can lift the restriction.",
        ),
    ),
    row(
        40243,
        Operator,
        (
            "AppSecret 已被冻结。",
            "请由管理员解冻 AppSecret，或重置后填入渠道的 secret：网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置。",
        ),
        (
            "The AppSecret is frozen.",
            "Let an administrator unfreeze it, or reset it and put it into the channel's secret. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置.",
        ),
    ),
    row(
        41001,
        Developer,
        ("请求里缺少 access_token。", REPORT_ZH),
        ("The access_token is missing.", REPORT_EN),
    ),
    row(
        41002,
        Operator,
        (
            "请求里缺少 AppID。",
            "请在渠道里填写 AppID：网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置。",
        ),
        (
            "The appid is missing.",
            "Put the AppID into the channel. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置.",
        ),
    ),
    row(
        41003,
        Developer,
        ("请求里缺少 refresh_token。", REPORT_ZH),
        ("The refresh_token is missing.", REPORT_EN),
    ),
    row(
        41004,
        Operator,
        (
            "请求里缺少 AppSecret。",
            "请在渠道里填写 AppSecret：网站应用在开放平台（open.weixin.qq.com）› 管理中心 › 网站应用 › 查看，公众号在公众平台（mp.weixin.qq.com）› 设置与开发 › 基本配置，小程序在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置。",
        ),
        (
            "The AppSecret is missing.",
            "Put the AppSecret into the channel's secret. For a website app see open.weixin.qq.com › 管理中心 › 网站应用 › 查看, for an official account mp.weixin.qq.com › 设置与开发 › 基本配置, for a mini-program mp.weixin.qq.com › 开发管理 › 开发设置.",
        ),
    ),
    row(41008, Developer, ("请求里缺少登录 code。", REPORT_ZH), ("The login code is missing.", REPORT_EN)),
    row(41009, Developer, ("请求里缺少 openid。", REPORT_ZH), ("The openid is missing.", REPORT_EN)),
    row(
        41030,
        Operator,
        (
            "小程序码指向的页面不在已发布的小程序里。",
            "请核对渠道里的页面路径（开头没有 /，不带参数）并发布包含它的版本；还没有发布时，请关闭对页面的检查（check_page，微信称 check_path），并选择体验版或开发版（version，微信称 env_version）。",
        ),
        (
            "The page of the mini-program code is not in the released mini-program.",
            "Check the channel's page (no leading slash, no query) and release a version that has it. Before the first release switch the check of the page off (check_page; WeChat's check_path) and choose the trial or develop version (version; WeChat's env_version).",
        ),
    ),
    row(42001, Operator, ("access_token 已过期。", TOKEN_ZH), ("The access_token has expired.", TOKEN_EN)),
    row(
        42002,
        User,
        ("refresh_token 已过期。", "请重新扫码授权。"),
        ("The refresh_token has expired.", "Scan again to authorize anew."),
    ),
    row(
        42003,
        User,
        ("登录 code 已过期。", "请重新扫码，并在几分钟内完成确认。"),
        ("The login code has expired.", "Scan again and confirm within a few minutes."),
    ),
    row(
        42007,
        User,
        ("用户修改了微信密码，原来的授权已失效。", "请重新扫码授权。"),
        (
            "The person changed their WeChat password, which ended the authorization.",
            "Scan again to authorize anew.",
        ),
    ),
    row(43001, Developer, ("这个接口要用 GET 请求。", REPORT_ZH), ("This call must be a GET.", REPORT_EN)),
    row(43002, Developer, ("这个接口要用 POST 请求。", REPORT_ZH), ("This call must be a POST.", REPORT_EN)),
    row(
        43003,
        Operator,
        ("这个接口要用 HTTPS 请求。", "请检查渠道里是否把微信的地址改成了 http://，或代理去掉了加密。"),
        (
            "This call needs HTTPS.",
            "Check that WeChat's address was not changed to http:// and that no proxy strips the encryption.",
        ),
    ),
    row(
        43004,
        User,
        ("用户还没有关注公众号。", "请先关注公众号，再重新扫码。"),
        ("The person does not follow the official account.", "Follow the account first, then scan again."),
    ),
    row(
        43019,
        Operator,
        ("该用户在公众号的黑名单里。", "如需允许，请在公众平台 › 用户管理中把此人移出黑名单。"),
        (
            "The person is on the official account's blacklist.",
            "If they should be let in, remove them from it on mp.weixin.qq.com under 用户管理.",
        ),
    ),
    row(44002, Developer, ("POST 请求的内容为空。", REPORT_ZH), ("The POST body is empty.", REPORT_EN)),
    row(
        44990,
        WeChat,
        ("调用太快，超过了每秒的上限。", "稍等片刻再试。"),
        ("Too many calls within a second.", "Wait a moment and try again."),
    ),
    row(
        45009,
        Operator,
        (
            "接口调用次数达到了上限。",
            "小程序码每分钟最多 5000 个，等一分钟即可；其他接口是当天的次数用完了，次日零点自动恢复，公众号也可以在公众平台（mp.weixin.qq.com）› 设置与开发 › 接口权限中清零。请检查是否有程序在反复调用。",
        ),
        (
            "The limit of calls is reached.",
            "Of mini-program codes there are 5000 a minute: wait a minute. For other calls the day's quota is used up: it returns at midnight in China, and an official account's can be cleared on mp.weixin.qq.com under 设置与开发 › 接口权限. Look for a program that calls too often.",
        ),
    ),
    row(
        45011,
        WeChat,
        ("调用太频繁，超过了每分钟的上限。", "请等一分钟再试；如果经常出现，请检查是否有人在刷登录接口。"),
        (
            "Too many calls within a minute.",
            "Wait a minute; if it happens often, look for someone hammering the login.",
        ),
    ),
    row(
        45015,
        User,
        ("超过了可以给用户发消息的时间。", "请用户重新扫码或给公众号发一条消息。"),
        (
            "The time in which this person may be sent a message has passed.",
            "Let them scan again or send the account a message.",
        ),
    ),
    row(
        45047,
        User,
        ("给该用户发的客服消息已达上限。", "请用户给公众号发一条消息后再试。"),
        (
            "This person has been sent too many service messages.",
            "Let them send the account a message, then try again.",
        ),
    ),
    row(
        46004,
        User,
        ("用户不存在。", "请确认微信号没有注销，然后重新扫码。"),
        ("There is no such user.", "Make sure the WeChat account still exists, then scan again."),
    ),
    row(
        47001,
        Developer,
        ("请求内容不是正确的 JSON 或 XML。", REPORT_ZH),
        ("The request's JSON or XML could not be parsed.", REPORT_EN),
    ),
    row(
        48001,
        Operator,
        (
            "应用没有调用这个接口的权限，或授权范围不够。",
            "带参数二维码只对已认证的服务号开放，订阅号和未认证的账号不能用；小程序要先发布才能生成小程序码；公众号渠道读取昵称头像要用 snsapi_userinfo。在公众平台 › 设置与开发 › 接口权限中可以查看。",
        ),
        (
            "The app may not make this call, or the granted scope is too narrow.",
            "QR codes with a scene need a verified service account: subscription accounts and unverified ones have none. A mini-program must be released before it has codes. To read nicknames an official account needs snsapi_userinfo. Its rights are listed on mp.weixin.qq.com under 设置与开发 › 接口权限.",
        ),
    ),
    row(
        48004,
        Operator,
        ("接口已被封禁。", "请登录公众平台查看站内通知并按其中的说明处理。"),
        (
            "The call has been banned for this account.",
            "Read the notices on mp.weixin.qq.com and do what they ask.",
        ),
    ),
    row(
        50001,
        User,
        ("用户没有授权这个接口。", "请重新扫码，并在微信里点允许。"),
        ("The person has not authorized this call.", "Scan again and tap Allow in WeChat."),
    ),
    row(
        50002,
        User,
        ("该微信号受限，可能被冻结或已注销。", "请在微信里查看账号状态并申请解封，或换其他登录方式。"),
        (
            "This WeChat account is restricted: frozen or closed.",
            "Check the account in WeChat and ask to lift the restriction, or log in another way.",
        ),
    ),
    row(
        50004,
        Operator,
        ("该账号不允许使用 access_token。", "请在公众平台或开放平台确认应用状态是否正常。"),
        (
            "This account may not use an access_token.",
            "Check on mp.weixin.qq.com or open.weixin.qq.com that the app is in good standing.",
        ),
    ),
    row(
        50005,
        User,
        ("用户没有关注公众号。", "请先关注公众号，再重新扫码。"),
        ("The person does not follow the official account.", "Follow the account first, then scan again."),
    ),
    row(
        50007,
        Operator,
        (
            "账号已被冻结。",
            "请登录公众平台（mp.weixin.qq.com）查看站内通知并按其中的说明处理；恢复之前请停用这个渠道。",
        ),
        (
            "The account is frozen.",
            "Read the notices on mp.weixin.qq.com and do what they ask; switch this channel off until it is restored.",
        ),
    ),
    row(
        61007,
        Operator,
        (
            "第三方平台没有得到这个接口的授权。",
            "请小程序管理员重新授权第三方平台，并勾选开发管理权限；或改用小程序自己的 AppSecret。",
        ),
        (
            "The third-party platform was not granted this call.",
            "Let the mini-program's administrator authorize it again with development rights, or use the mini-program's own AppSecret.",
        ),
    ),
    row(
        61024,
        Operator,
        (
            "公众号已授权给第三方平台，要用第三方平台的 token 调用。",
            "请在公众平台取消对该第三方平台的授权，或改用它提供的接口。",
        ),
        (
            "The official account is run by a third-party platform, whose token is required.",
            "Withdraw that platform's authorization on mp.weixin.qq.com, or use the calls it offers.",
        ),
    ),
    row(
        61450,
        WeChat,
        ("微信系统错误。", "稍等片刻再试。"),
        ("WeChat's system failed.", "Wait a moment and try again."),
    ),
    row(61451, Developer, ("请求参数不合法。", REPORT_ZH), ("A parameter is not valid.", REPORT_EN)),
    row(
        76022,
        Developer,
        ("这个接口不支持查询调用额度。", "网页登录的 sns 接口没有额度查询，无需处理。"),
        (
            "The quota of this call cannot be queried.",
            "Web login's sns calls have no quota query; nothing to do.",
        ),
    ),
    row(
        85066,
        Operator,
        ("链接规则不合法。", "请填写完整的前缀：https:// 加域名和路径，域名已备案，并以 / 结尾。"),
        (
            "The link rule is not valid.",
            "Write the whole prefix: https://, a host with an ICP filing, and a path that ends with a slash.",
        ),
    ),
    row(
        85068,
        Operator,
        ("测试链接不在链接规则之下。", "请让每个测试链接都以规则的前缀开头。"),
        (
            "A test address is not below the link rule.",
            "Let every test address begin with the rule's prefix.",
        ),
    ),
    row(
        85069,
        Operator,
        (
            "链接规则的校验文件没有通过检查。",
            "请用浏览器打开校验文件的地址：它要能从公网以规则的域名和路径访问，内容要和下载的完全一样。检查反向代理是否把请求转给了登录服务。",
        ),
        (
            "WeChat could not check the link rule's verification file.",
            "Open the file's address in a browser: it must be reachable from the internet at the rule's host and path, unchanged. Look whether the reverse proxy passes it to the login server.",
        ),
    ),
    row(
        85070,
        Operator,
        ("这个链接已被微信加入黑名单。", "请换一个域名，或向微信申诉。"),
        ("WeChat has put this address on its blacklist.", "Use another host, or appeal to WeChat."),
    ),
    row(
        85071,
        Operator,
        (
            "这条链接规则已经存在。",
            "无需再次添加；需要修改时请用编辑，或在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置 › 扫普通链接二维码打开小程序中修改。",
        ),
        (
            "This link rule exists already.",
            "There is no need to add it again; to change it, edit it here or on mp.weixin.qq.com › 开发管理 › 开发设置 › 扫普通链接二维码打开小程序.",
        ),
    ),
    row(
        85072,
        Operator,
        (
            "这个链接已被别的小程序占用。",
            "请在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置 › 扫普通链接二维码打开小程序中换一个路径，或请对方释放它。",
        ),
        (
            "Another mini-program holds this address.",
            "Choose another path on mp.weixin.qq.com › 开发管理 › 开发设置 › 扫普通链接二维码打开小程序, or ask its owner to give it up.",
        ),
    ),
    row(
        85073,
        Operator,
        (
            "链接规则的数量已达上限。",
            "请在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置 › 扫普通链接二维码打开小程序中删除不用的规则。",
        ),
        (
            "The limit of link rules is reached.",
            "Delete unused ones on mp.weixin.qq.com › 开发管理 › 开发设置 › 扫普通链接二维码打开小程序.",
        ),
    ),
    row(
        85074,
        Operator,
        ("小程序还没有发布，链接规则不能发布。", "请先发布小程序，再发布规则；之前可以用测试链接。"),
        (
            "The mini-program was not released yet, so its link rule cannot be published.",
            "Release the mini-program first, then publish the rule; until then use test addresses.",
        ),
    ),
    row(
        85075,
        Operator,
        ("个人类型的小程序不能使用链接规则。", "请改用小程序码，个人类型也可以使用。"),
        (
            "A personal mini-program cannot have link rules.",
            "Use mini-program codes instead, which personal ones may.",
        ),
    ),
    row(
        85076,
        Operator,
        ("链接的域名没有备案。", "请使用已完成 ICP 备案的域名。"),
        ("The address's host has no ICP filing.", "Use a host that has one."),
    ),
    row(
        85095,
        Operator,
        (
            "链接规则的数据有误。",
            "请在小程序后台（mp.weixin.qq.com）› 开发管理 › 开发设置 › 扫普通链接二维码打开小程序中删除这条规则，然后重新添加。",
        ),
        (
            "The link rule's data is broken.",
            "Delete the rule on mp.weixin.qq.com › 开发管理 › 开发设置 › 扫普通链接二维码打开小程序 and add it again.",
        ),
    ),
    row(
        85096,
        Operator,
        ("页面路径里含有微信保留的参数 scancode_time。", "请从渠道的页面路径里去掉它。"),
        (
            "The page holds scancode_time, a parameter that WeChat reserves.",
            "Remove it from the channel's page.",
        ),
    ),
    row(
        89501,
        Operator,
        (
            "这个 IP 正在等待管理员确认。",
            "请公众号或小程序的管理员在微信里确认，或把 IP 加入 IP 白名单：在公众平台（mp.weixin.qq.com），公众号是 设置与开发 › 基本配置 › IP白名单，小程序是 开发管理 › 开发设置 › IP白名单。",
        ),
        (
            "This IP address awaits the administrator's confirmation.",
            "Let the administrator of the official account or mini-program confirm it in WeChat, or add it on mp.weixin.qq.com: for an official account under 设置与开发 › 基本配置 › IP白名单, for a mini-program under 开发管理 › 开发设置 › IP白名单.",
        ),
    ),
    row(
        89503,
        Operator,
        (
            "这个 IP 的调用需要管理员确认。",
            "请公众号或小程序的管理员在微信里确认，或把 IP 加入 IP 白名单：在公众平台（mp.weixin.qq.com），公众号是 设置与开发 › 基本配置 › IP白名单，小程序是 开发管理 › 开发设置 › IP白名单。",
        ),
        (
            "Calls from this IP address need the administrator's confirmation.",
            "Let the administrator of the official account or mini-program confirm it in WeChat, or add it on mp.weixin.qq.com: for an official account under 设置与开发 › 基本配置 › IP白名单, for a mini-program under 开发管理 › 开发设置 › IP白名单.",
        ),
    ),
    row(
        89506,
        Operator,
        (
            "管理员两次拒绝了这个 IP，24 小时内不能再用。",
            "24 小时后再请管理员确认，或把 IP 加入 IP 白名单：在公众平台（mp.weixin.qq.com），公众号是 设置与开发 › 基本配置 › IP白名单，小程序是 开发管理 › 开发设置 › IP白名单。",
        ),
        (
            "The administrator refused this IP address twice; it is blocked for 24 hours.",
            "Ask the administrator again after 24 hours, or add it on mp.weixin.qq.com: for an official account under 设置与开发 › 基本配置 › IP白名单, for a mini-program under 开发管理 › 开发设置 › IP白名单.",
        ),
    ),
    row(
        89507,
        Operator,
        (
            "管理员拒绝了这个 IP，1 小时内不能再用。",
            "1 小时后再请管理员确认，或把 IP 加入 IP 白名单：在公众平台（mp.weixin.qq.com），公众号是 设置与开发 › 基本配置 › IP白名单，小程序是 开发管理 › 开发设置 › IP白名单。",
        ),
        (
            "The administrator refused this IP address; it is blocked for an hour.",
            "Ask the administrator again after an hour, or add it on mp.weixin.qq.com: for an official account under 设置与开发 › 基本配置 › IP白名单, for a mini-program under 开发管理 › 开发设置 › IP白名单.",
        ),
    ),
    row(
        886_000,
        Operator,
        ("本月发布链接规则的次数已用完。", "请下个月再发布；之前可以用测试链接。"),
        (
            "Link rules cannot be published any more this month.",
            "Publish next month; until then use test addresses.",
        ),
    ),
    row(
        886_001,
        WeChat,
        ("微信系统繁忙。", "稍等片刻再试。"),
        ("WeChat's system is busy.", "Wait a moment and try again."),
    ),
];
