//! WeCom's numbers (WeCom fact sheet §11), rising, and before them those of its login page and panel (appendix of
//! WeCom's document 98152). Many equal WeChat's and mean something else.

use super::Turn::{Developer, Nobody, Operator, User, WeChat};
use super::{Explanation, row};

const REPORT_ZH: &str = "请求由登录服务发出，请把这个错误码和错误信息里的 hint 报告给它的开发者。";
const REPORT_EN: &str =
    "The login server composed this request: report the number and the message's hint to its developers.";
const AGAIN_ZH: &str = "请重新扫码登录。";
const AGAIN_EN: &str = "Scan again to start over.";
const TOKEN_ZH: &str = "登录服务会自动换新的再试一次；如果一直出现，请核对渠道里的 Secret。";
const TOKEN_EN: &str = "The login server fetches a new one and tries again by itself; if it persists, compare the channel's secret.";
const DOMAIN_ZH: &str = "在企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用 › 企业微信授权登录 › Web 网页，把授权回调域设为登录服务的域名；端口也要一致，不带 https:// 和路径，不支持通配符。";
const DOMAIN_EN: &str = "On work.weixin.qq.com under 应用管理 › the app › 企业微信授权登录 › Web网页 set 授权回调域 to the login server's host name, with its port if it has one, without https:// or path.";
const AGENT_ZH: &str =
    "请核对渠道里的 AgentId：企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用的详情页。";
const AGENT_EN: &str =
    "Compare the channel's agentid with the app's page on work.weixin.qq.com under 应用管理.";
const CORP_ZH: &str =
    "请核对渠道里的企业 ID：企业微信管理后台（work.weixin.qq.com）› 我的企业 › 企业信息的最下方。";
const CORP_EN: &str =
    "Compare the channel's corpid with the one at the bottom of 我的企业 › 企业信息 on work.weixin.qq.com.";
const SECRET_ZH: &str = "请核对渠道里的 Secret：企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用 › Secret，它只发送到管理员的企业微信里查看。错误的 Secret 用得太多，服务器的 IP 会被封一小时。";
const SECRET_EN: &str = "Compare the channel's secret with 应用管理 › the app › Secret on work.weixin.qq.com, which an administrator reads in the WeCom app. Too many wrong secrets block the server's address for an hour.";
const RANGE_ZH: &str = "请企业微信管理员在 应用管理 › 该应用 › 可见范围 中加入此人或其部门。";
const RANGE_EN: &str = "Let a WeCom administrator add the person or their department to the app's 可见范围 under 应用管理 on work.weixin.qq.com.";

pub(super) const TABLE: &[Explanation] = &[
    row(
        -31040,
        Developer,
        ("登录页的 login_type 参数不正确。", REPORT_ZH),
        ("The login page's login_type is not valid.", REPORT_EN),
    ),
    row(
        -31039,
        Operator,
        ("回调地址的域名不是该应用的可信域名。", DOMAIN_ZH),
        ("The callback's host is not one of the app's trusted domains.", DOMAIN_EN),
    ),
    row(
        -31037,
        Operator,
        (
            "该应用没有开启企业微信授权登录。",
            "在企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用 › 企业微信授权登录中开启并设置授权回调域。",
        ),
        (
            "Login by WeCom is not switched on for the app.",
            "Switch it on and set 授权回调域 on work.weixin.qq.com under 应用管理 › the app › 企业微信授权登录.",
        ),
    ),
    row(
        -31035,
        Developer,
        ("登录页缺少 redirect_uri 参数。", REPORT_ZH),
        ("The login page's redirect_uri is missing.", REPORT_EN),
    ),
    row(
        -31034,
        Operator,
        ("该企业不是服务商。", CORP_ZH),
        ("The company is not a service provider.", CORP_EN),
    ),
    row(
        -31033,
        Operator,
        (
            "内嵌登录面板的页面不在该应用的可信域名上。",
            "请把显示登录面板的网站域名设为该应用的授权回调域，或改为跳转登录。",
        ),
        (
            "The page around the login panel does not lie on the app's trusted domain.",
            "Make the host name of the page that shows the panel the app's 授权回调域, or let the whole page go to WeCom instead.",
        ),
    ),
    row(
        -31028,
        Operator,
        ("登录页的 AgentId 不正确。", AGENT_ZH),
        ("The login page's agentid is not valid.", AGENT_EN),
    ),
    row(
        -31027,
        Operator,
        ("登录页的企业 ID 不正确。", CORP_ZH),
        ("The login page's corpid is not valid.", CORP_EN),
    ),
    row(
        -31020,
        Operator,
        ("回调地址的域名与配置的登录授权回调域不一致。", DOMAIN_ZH),
        ("The callback's host differs from the app's 授权回调域.", DOMAIN_EN),
    ),
    row(
        -1,
        WeChat,
        ("企业微信系统繁忙。", "稍等片刻再重新扫码；如果持续出现，请查看企业微信的公告。"),
        (
            "WeCom's system is busy.",
            "Wait a moment and scan again; if it persists, look for notices from WeCom.",
        ),
    ),
    row(0, Nobody, ("请求成功。", "无需处理。"), ("The call succeeded.", "Nothing to do.")),
    row(
        40001,
        Operator,
        ("应用的 Secret 不正确，或 access_token 已失效。", SECRET_ZH),
        ("The app's secret is wrong, or its access_token no longer stands.", SECRET_EN),
    ),
    row(40013, Operator, ("企业 ID 不正确。", CORP_ZH), ("The corpid is not valid.", CORP_EN)),
    row(40014, Operator, ("access_token 不正确。", TOKEN_ZH), ("The access_token is not valid.", TOKEN_EN)),
    row(
        40029,
        User,
        (
            "登录 code 无效：已用过、超过 5 分钟，或属于另一个应用。",
            "请重新扫码登录；不要刷新或后退到回调页面。",
        ),
        (
            "The login code is not valid: used, older than five minutes, or another app's.",
            "Scan again; do not reload the callback page or go back to it.",
        ),
    ),
    row(40056, Operator, ("AgentId 不正确。", AGENT_ZH), ("The agentid is not valid.", AGENT_EN)),
    row(40058, Developer, ("请求参数不合法。", REPORT_ZH), ("A parameter is not valid.", REPORT_EN)),
    row(
        40078,
        User,
        ("服务商登录的 auth_code 无效。", AGAIN_ZH),
        ("The provider login's auth_code is not valid.", AGAIN_EN),
    ),
    row(
        40091,
        Operator,
        ("Secret 属于另一个企业。", "请确认渠道里的企业 ID 和 Secret 来自同一个企业的同一个应用。"),
        (
            "The secret belongs to another company.",
            "Make sure that the channel's corpid and secret come from the same company's app.",
        ),
    ),
    row(40163, User, ("登录 code 已经用过一次。", AGAIN_ZH), ("The login code was used before.", AGAIN_EN)),
    row(
        41001,
        Developer,
        ("请求里缺少 access_token。", REPORT_ZH),
        ("The access_token is missing.", REPORT_EN),
    ),
    row(41002, Operator, ("请求里缺少企业 ID。", CORP_ZH), ("The corpid is missing.", CORP_EN)),
    row(41004, Operator, ("请求里缺少 Secret。", SECRET_ZH), ("The secret is missing.", SECRET_EN)),
    row(41008, Developer, ("请求里缺少登录 code。", REPORT_ZH), ("The login code is missing.", REPORT_EN)),
    row(41009, Developer, ("请求里缺少 userid。", REPORT_ZH), ("The userid is missing.", REPORT_EN)),
    row(41011, Operator, ("请求里缺少 AgentId。", AGENT_ZH), ("The agentid is missing.", AGENT_EN)),
    row(42001, Operator, ("access_token 已过期。", TOKEN_ZH), ("The access_token has expired.", TOKEN_EN)),
    row(
        43004,
        User,
        (
            "该成员没有关注微信插件或没有绑定微信，换不到 openid。",
            "请在企业微信里绑定微信，或用企业微信扫码登录。",
        ),
        (
            "The member has not bound a WeChat account, so there is no openid.",
            "Bind WeChat in the WeCom app, or log in by WeCom itself.",
        ),
    ),
    row(
        45009,
        WeChat,
        (
            "调用太频繁，接口被暂时限制。",
            "请等一分钟到一小时；如果经常出现，请检查渠道里的 Secret 是否有误，以及是否有程序在反复调用。",
        ),
        (
            "Too many calls; the interface is blocked for a while.",
            "Wait between a minute and an hour. If it happens often, check the channel's secret and look for a program that calls too often.",
        ),
    ),
    row(
        45033,
        WeChat,
        ("同时进行的调用太多。", "请稍等片刻再试。"),
        ("Too many calls at the same moment.", "Wait a moment and try again."),
    ),
    row(
        48002,
        Operator,
        (
            "这类应用没有调用这个接口的权限。",
            "请确认渠道里的 Secret 属于自建应用，而不是通讯录同步等其他 Secret；需要的权限在该应用的详情页中开启。",
        ),
        (
            "This kind of app may not make this call.",
            "Make sure that the channel's secret is that of a self-built app and not, say, of the directory sync, and grant the right on the app's page.",
        ),
    ),
    row(
        48006,
        Operator,
        (
            "接口权限因长期未使用被收回。",
            "请企业微信管理员在管理后台（work.weixin.qq.com）的该应用详情页重新开启。",
        ),
        (
            "The right to this call was withdrawn after long disuse.",
            "Let a WeCom administrator grant it again on the app's page on work.weixin.qq.com.",
        ),
    ),
    row(
        50001,
        Operator,
        (
            "回调地址的域名不是该应用的可信域名，或 Secret 与 AgentId 不属于同一个应用。",
            "在企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用，把 企业微信授权登录 › Web网页 › 授权回调域 设为登录服务的域名（端口也要一致，不带 https:// 和路径）；在企业微信里登录（qr = \"link\"）还要求 网页授权及JS-SDK › 可信域名 是同一个域名。渠道里的 AgentId 和 Secret 必须属于同一个应用。",
        ),
        (
            "The callback's host is not one of the app's trusted domains, or agentid and secret are those of two apps.",
            "On work.weixin.qq.com under 应用管理 › the app set 企业微信授权登录 › Web网页 › 授权回调域 to the login server's host name, with its port if it has one, without https:// or path; the way inside WeCom (qr = \"link\") needs the same host under 网页授权及JS-SDK › 可信域名. The channel's agentid and secret must be of the same app.",
        ),
    ),
    row(
        50002,
        Operator,
        ("该成员不在应用的权限范围内。", RANGE_ZH),
        ("The member is outside of what the app may see.", RANGE_EN),
    ),
    row(
        50003,
        Operator,
        ("该应用已停用。", "请企业微信管理员在管理后台（work.weixin.qq.com）› 应用管理中重新启用该应用。"),
        (
            "The app has been switched off.",
            "Let a WeCom administrator switch it on again on work.weixin.qq.com under 应用管理.",
        ),
    ),
    row(
        60011,
        Operator,
        ("应用没有查看该成员或部门的权限。", RANGE_ZH),
        ("The app may not see this member or department.", RANGE_EN),
    ),
    row(
        60020,
        Operator,
        (
            "服务器的出口 IP 不在该应用的企业可信 IP 里。",
            "请把错误信息中 from ip 之后的 IP 加入：企业微信管理后台（work.weixin.qq.com）› 应用管理 › 该应用 › 企业可信IP。要先设置可信域名或接收消息服务器；约一分钟后生效。",
        ),
        (
            "The server's IP address is not one that the app trusts.",
            "Add the address named after \"from ip\" in the message on work.weixin.qq.com under 应用管理 › the app › 企业可信IP. It needs a trusted domain or a callback first, and takes about a minute.",
        ),
    ),
    row(
        60111,
        Operator,
        (
            "没有这个成员，或应用看不到此人。",
            "如果此人仍在企业里，请企业微信管理员在 应用管理 › 该应用 › 可见范围 中加入此人或其部门。",
        ),
        (
            "There is no such member, or the app may not see them.",
            "If they still work there, let a WeCom administrator add them or their department to the app's 可见范围 under 应用管理 on work.weixin.qq.com.",
        ),
    ),
    row(
        81013,
        Operator,
        ("指定的成员、部门或标签全部无效或不可见。", RANGE_ZH),
        ("None of the members, departments or tags exists or is visible to the app.", RANGE_EN),
    ),
    row(
        84014,
        User,
        ("user_ticket 已过期，读不到成员的敏感信息。", AGAIN_ZH),
        ("The user_ticket has expired, so what the member agreed to show cannot be read.", AGAIN_EN),
    ),
    row(84015, User, ("user_ticket 无效。", AGAIN_ZH), ("The user_ticket is not valid.", AGAIN_EN)),
    row(
        85004,
        Operator,
        ("本月修改可信域名的次数已用完。", "每个企业每月最多设置 20 次，请下个月再改。"),
        (
            "This month's changes of trusted domains are used up.",
            "A company has 20 of them in a month; change it next month.",
        ),
    ),
    row(
        301_002,
        Operator,
        ("access_token 没有使用这个 AgentId 的权限。", AGENT_ZH),
        ("The access_token has no right to this agentid.", AGENT_EN),
    ),
    row(2_000_002, Operator, ("企业 ID 不存在。", CORP_ZH), ("The corpid does not exist.", CORP_EN)),
];
