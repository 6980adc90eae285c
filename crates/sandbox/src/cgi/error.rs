//! Refusals of `api.weixin.qq.com` outside `sns`, with their live texts where known (WeChat fact sheet §5).

use std::borrow::Cow;

/// A number and the text before the request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) number: i64,
    pub(crate) text: Cow<'static, str>,
}

impl ApiError {
    pub(crate) const fn new(number: i64, text: &'static str) -> Self {
        Self { number, text: Cow::Borrowed(text) }
    }

    /// The source address is not in the app's whitelist (§4.1).
    pub(crate) fn ip_not_whitelisted(ip: std::net::IpAddr) -> Self {
        let text = match ip {
            std::net::IpAddr::V4(ip) => format!("invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist"),
            std::net::IpAddr::V6(ip) => format!("invalid ip {ip} ipv6 {ip}, not in whitelist"),
        };
        Self { number: 40164, text: Cow::Owned(text) }
    }

    /// An errcode that a script asked for.
    pub(crate) fn by_number(number: i64) -> Self {
        let known = KNOWN.into_iter().find(|known| known.number == number);
        known.unwrap_or(Self { number, text: Cow::Borrowed("the sandbox was asked for this errcode") })
    }
}

pub(crate) const SYSTEM_ERROR: ApiError = ApiError::new(-1, "system error");
pub(crate) const TOKEN_NOT_LATEST: ApiError = ApiError::new(
    40001,
    "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, \
     more details at https://mmbizurl.cn/s/JtxxFh33r",
);
pub(crate) const INVALID_GRANT_TYPE: ApiError = ApiError::new(40002, "invalid grant_type");
pub(crate) const INVALID_OPENID: ApiError = ApiError::new(40003, "invalid openid");
pub(crate) const INVALID_MESSAGE_TYPE: ApiError = ApiError::new(40008, "invalid message type");
pub(crate) const INVALID_APPID: ApiError = ApiError::new(40013, "invalid appid");
pub(crate) const INVALID_CODE: ApiError = ApiError::new(40029, "invalid code");
pub(crate) const INVALID_PARAMETER: ApiError = ApiError::new(40035, "invalid parameter");
pub(crate) const INVALID_ACTION_NAME: ApiError = ApiError::new(40052, "invalid action name");
pub(crate) const INVALID_ACTION_INFO: ApiError = ApiError::new(40053, "invalid action info");
pub(crate) const INVALID_URL: ApiError = ApiError::new(40066, "invalid url");
pub(crate) const INVALID_ARGS: ApiError = ApiError::new(40097, "invalid args");
pub(crate) const INVALID_SECRET: ApiError = ApiError::new(40125, "invalid appsecret");
pub(crate) const INVALID_SCENE: ApiError = ApiError::new(40129, "invalid scene");
pub(crate) const INVALID_PATH_LENGTH: ApiError =
    ApiError::new(40159, "invalid length for path, or the data is not json string");
pub(crate) const INVALID_SCENE_LENGTH: ApiError =
    ApiError::new(40169, "invalid length for scene, or the data is not json string");
pub(crate) const TOKEN_MISSING: ApiError = ApiError::new(41001, "access_token missing");
pub(crate) const APPID_MISSING: ApiError = ApiError::new(41002, "appid missing");
pub(crate) const SECRET_MISSING: ApiError = ApiError::new(41004, "appsecret missing");
pub(crate) const INVALID_PAGE: ApiError = ApiError::new(41030, "invalid page");
pub(crate) const TOKEN_EXPIRED: ApiError = ApiError::new(42001, "access_token expired");
pub(crate) const REQUIRE_GET: ApiError = ApiError::new(43001, "require GET method");
pub(crate) const REQUIRE_POST: ApiError = ApiError::new(43002, "require POST method");
pub(crate) const EMPTY_POST: ApiError = ApiError::new(44002, "empty post data");
pub(crate) const DAILY_LIMIT: ApiError = ApiError::new(45009, "reach max api daily quota limit");
pub(crate) const WINDOW_PASSED: ApiError =
    ApiError::new(45015, "response out of time limit or subscription is canceled");
pub(crate) const CODES_USED_UP: ApiError = ApiError::new(45029, "qrcode count out of limit");
pub(crate) const TOO_MANY_REPLIES: ApiError = ApiError::new(45047, "out of response count limit");
pub(crate) const DATA_FORMAT: ApiError = ApiError::new(47001, "data format error");
pub(crate) const API_UNAUTHORIZED: ApiError = ApiError::new(48001, "api unauthorized");
pub(crate) const RESERVED_FIELD: ApiError = ApiError::new(85096, "not allow include scancode_time field");
pub(crate) const BAD_SIGNATURE: ApiError = ApiError::new(87009, "invalid signature");

/// Errcodes with a known text that nothing but a fault gives.
const KNOWN: [ApiError; 17] = [
    SYSTEM_ERROR,
    TOKEN_NOT_LATEST,
    ApiError::new(40014, "invalid access_token"),
    INVALID_SECRET,
    ApiError::new(40163, "code been used"),
    ApiError::new(40226, "code blocked"),
    ApiError::new(40243, "appsecret is frozen"),
    TOKEN_EXPIRED,
    ApiError::new(43004, "require subscribe"),
    DAILY_LIMIT,
    ApiError::new(45011, "api minute-quota reach limit  mustslower  retry next minute"),
    API_UNAUTHORIZED,
    ApiError::new(50002, "user limited"),
    ApiError::new(50004, "not allow to use token"),
    ApiError::new(89503, "this ip call need admin confirm"),
    INVALID_PAGE,
    INVALID_CODE,
];
