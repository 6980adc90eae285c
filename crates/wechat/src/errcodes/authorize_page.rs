//! Numbers that WeChat's authorization page shows to the person instead of the consent dialog (WeChat fact sheet §3).
//! They never reach a server; someone reads them out from a phone.

use super::Turn::{Developer, Operator, User};
use super::{Explanation, row};

pub(super) const TABLE: &[Explanation] = &[
    row(
        10003,
        Operator,
        (
            "回调地址的域名与公众号后台配置的网页授权域名不一致。",
            "登录公众平台（mp.weixin.qq.com）› 设置与开发 › 账号设置 › 功能设置，把网页授权域名改成登录服务的完整域名，不带 https://、端口和路径。",
        ),
        (
            "The callback's host differs from the domain configured for the official account.",
            "On mp.weixin.qq.com under 设置与开发 › 账号设置 › 功能设置 set 网页授权域名 to the login server's full host name, without https://, port or path.",
        ),
    ),
    row(
        10004,
        Operator,
        ("该公众号已被封禁。", "登录公众平台查看站内通知并申诉；恢复之前请停用这个渠道。"),
        (
            "The official account has been banned.",
            "Read the notices on mp.weixin.qq.com and appeal; switch this channel off until it is restored.",
        ),
    ),
    row(
        10005,
        Operator,
        (
            "该公众号没有网页授权的权限。",
            "网页授权只对已认证的服务号开放：请在公众平台 › 设置与开发 › 接口权限中确认，或改用已认证的服务号。",
        ),
        (
            "The official account may not use this authorization scope.",
            "Web authorization needs a verified service account: check 设置与开发 › 接口权限 on mp.weixin.qq.com, or use a verified one.",
        ),
    ),
    row(
        10006,
        User,
        ("这是测试号，当前微信用户还没有关注它。", "请先用这个微信关注该测试号，再重新扫码。"),
        (
            "This is a test account and the person does not follow it.",
            "Follow the test account with this WeChat first, then scan again.",
        ),
    ),
    row(
        10009,
        User,
        ("操作过于频繁。", "请等一两分钟再重新扫码。"),
        ("The page was opened too often.", "Wait a minute or two, then scan again."),
    ),
    row(
        10010,
        Developer,
        ("授权地址里缺少 scope 参数。", "授权地址要原样使用，请检查中间是否有网关改写了它。"),
        (
            "The authorization address lacks scope.",
            "Use the address unchanged and check that no gateway in between rewrites it.",
        ),
    ),
    row(
        10011,
        Developer,
        ("授权地址里缺少 redirect_uri 参数。", "授权地址要原样使用，请检查中间是否有网关改写了它。"),
        (
            "The authorization address lacks redirect_uri.",
            "Use the address unchanged and check that no gateway in between rewrites it.",
        ),
    ),
    row(
        10012,
        Operator,
        ("授权地址里缺少 appid 参数。", "请在渠道里填写公众号的 AppID：公众平台 › 设置与开发 › 基本配置。"),
        (
            "The authorization address lacks an appid.",
            "Put the official account's AppID into the channel; it is on mp.weixin.qq.com under 设置与开发 › 基本配置.",
        ),
    ),
    row(
        10013,
        Developer,
        ("授权地址里缺少 state 参数。", "授权地址要原样使用，请检查中间是否有网关改写了它。"),
        (
            "The authorization address lacks state.",
            "Use the address unchanged and check that no gateway in between rewrites it.",
        ),
    ),
    row(
        10015,
        Operator,
        (
            "公众号没有授权给所用的第三方平台。",
            "请由公众号管理员重新授权给该第三方平台，或在渠道里直接填写公众号自己的 AppID 和 AppSecret。",
        ),
        (
            "The official account has not authorized the third-party platform in use.",
            "Let its administrator authorize the platform again, or put the account's own AppID and AppSecret into the channel.",
        ),
    ),
    row(
        10016,
        Operator,
        (
            "这里填的是开放平台网站应用的 AppID，微信内网页授权不支持它。",
            "请在渠道里改填公众号（服务号）的 AppID：公众平台 › 设置与开发 › 基本配置。",
        ),
        (
            "The appid belongs to an Open Platform website app, which the page inside WeChat does not accept.",
            "Put the service account's AppID into the channel; it is on mp.weixin.qq.com under 设置与开发 › 基本配置.",
        ),
    ),
];
