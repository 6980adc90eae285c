//! What an operator does about the codes by which Aliyun and Tencent Cloud refuse an SMS. From their documentation
//! (Dysmsapi 2017-05-25 "API error codes", SMS 2021-01-11 "error codes"), read in 2026.

use super::SendFailure;

/// One code.
pub(super) struct Remedy {
    code: &'static str,
    pub(super) failure: SendFailure,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

/// What is known of a code; Tencent's are looked up without their last part too.
pub(super) fn of(code: &str) -> Option<&'static Remedy> {
    let exact = |code: &str| REMEDIES.iter().find(|remedy| remedy.code == code);
    exact(code).or_else(|| exact(code.split_once('.')?.0))
}

macro_rules! remedies {
    ($($code:literal $failure:ident $en:literal $zh:literal;)+) => {
        const REMEDIES: &[Remedy] = &[$(Remedy { code: $code, failure: SendFailure::$failure, en: $en, zh: $zh }),+];
    };
}

remedies! {
    "isv.BUSINESS_LIMIT_CONTROL" Often
        "Aliyun limits how often one number gets a code: 1 a minute, 5 an hour, 10 a day by default; the console changes that under 通用设置 › 国内消息发送频率限制."
        "触发阿里云对单个号码的发送频率限制（默认每分钟 1 条、每小时 5 条、每天 10 条），可在控制台“通用设置 › 国内消息发送频率限制”调整。";
    "isv.DAY_LIMIT_CONTROL" Busy
        "The day's ceiling set in Aliyun's console is reached; raise it under 通用设置 › 国内消息发送总量阈值."
        "已达到阿里云控制台设置的日发送上限，可在“通用设置”中调高。";
    "isv.MONTH_LIMIT_CONTROL" Busy
        "The month's ceiling set in Aliyun's console is reached; raise it under 通用设置."
        "已达到阿里云控制台设置的月发送上限，可在“通用设置”中调高。";
    "isv.SMS_SIGNATURE_ILLEGAL" Setup
        "sign_name is not an approved signature of this Aliyun account; copy it from the console exactly, without 【】."
        "sign_name 不是该阿里云账号下审核通过的短信签名；请从控制台原样复制，不含【】。";
    "isv.SMS_SIGN_ILLEGAL" Setup
        "sign_name is not an approved signature of this Aliyun account; copy it from the console exactly, without 【】."
        "sign_name 不是该阿里云账号下审核通过的短信签名；请从控制台原样复制，不含【】。";
    "isv.SMS_TEMPLATE_ILLEGAL" Setup
        "template_code is not an approved template of this Aliyun account, or belongs to another signature's type."
        "template_code 不是该阿里云账号下审核通过的短信模板，或与签名类型不符。";
    "isv.TEMPLATE_MISSING_PARAMETERS" Setup
        "The template has a variable that `params` does not fill; the names must be those of the template."
        "模板中有 params 没有填写的变量；变量名须与模板一致。";
    "isv.TEMPLATE_PARAMS_ILLEGAL" Setup
        "A value does not fit the template's kind of variable; a code variable takes digits only, so leave {site} out of it."
        "变量内容不符合模板变量属性；验证码变量只能是数字，不要放入 {site}。";
    "isv.INVALID_PARAMETERS" Setup
        "Aliyun cannot read a parameter; look at sign_name, template_code and params."
        "参数格式不正确，请检查 sign_name、template_code 和 params。";
    "isv.INVALID_JSON_PARAM" Setup
        "Aliyun cannot read the template's variables; look at params."
        "模板变量不是合法的 JSON，请检查 params。";
    "isv.MOBILE_NUMBER_ILLEGAL" Recipient
        "Aliyun does not take this number."
        "阿里云不接受该手机号码。";
    "isv.MOBILE_COUNT_OVER_LIMIT" Recipient
        "Aliyun does not take this number."
        "阿里云不接受该手机号码。";
    "isv.BLACK_KEY_CONTROL_LIMIT" Setup
        "A value holds a word that Aliyun blocks; look at the names of your websites if `params` has {site}."
        "变量内容含有被拦截的关键词；如 params 使用了 {site}，请检查网站名称。";
    "isv.AMOUNT_NOT_ENOUGH" Setup
        "The Aliyun account has no balance or package left."
        "阿里云账户余额或短信套餐不足，请充值。";
    "isv.OUT_OF_SERVICE" Setup
        "Aliyun has stopped the SMS service of this account, mostly for a missing payment."
        "该阿里云账号的短信服务已停机，多因欠费。";
    "isv.PRODUCT_UNSUBSCRIBE" Setup
        "The SMS service is not switched on for this Aliyun account."
        "该阿里云账号没有开通短信服务。";
    "isv.PRODUCT_UN_SUBSCRIPT" Setup
        "The SMS service is not switched on for this Aliyun account."
        "该阿里云账号没有开通短信服务。";
    "isv.ACCOUNT_NOT_EXISTS" Setup
        "There is no such Aliyun account; look at access_key_id."
        "阿里云账号不存在，请检查 access_key_id。";
    "isv.ACCOUNT_ABNORMAL" Setup
        "Aliyun has locked the account; ask its support."
        "阿里云账号异常，请联系阿里云客服。";
    "isp.RAM_PERMISSION_DENY" Setup
        "The access key lacks the permission dysms:SendSms; grant AliyunDysmsFullAccess or a policy with it."
        "AccessKey 没有 dysms:SendSms 权限，请在 RAM 中授权。";
    "isp.SYSTEM_ERROR" Down
        "Aliyun has a fault of its own; it passes, or its support knows."
        "阿里云系统错误，请稍后再试或联系客服。";
    "SignatureDoesNotMatch" Setup
        "access_key_secret does not belong to access_key_id."
        "access_key_secret 与 access_key_id 不匹配。";
    "InvalidAccessKeyId" Setup
        "Aliyun does not know access_key_id; it may have been deleted or switched off."
        "阿里云不认识该 access_key_id，可能已删除或禁用。";
    "InvalidTimeStamp" Setup
        "This machine's clock is wrong by more than 15 minutes; switch time synchronization on."
        "本机时钟偏差超过 15 分钟，请开启时间同步。";
    "Throttling" Busy
        "Aliyun takes no more requests a second from this account."
        "触发阿里云的接口流控，请稍后再试。";
    "LimitExceeded.PhoneNumberDailyLimit" Often
        "Tencent Cloud limits how often one number is sent to in a day; the console changes that under 应用管理 › 发送频率限制."
        "触发腾讯云对单个手机号的日发送上限，可在控制台“应用管理 › 发送频率限制”调整。";
    "LimitExceeded.PhoneNumberOneHourLimit" Often
        "Tencent Cloud limits how often one number is sent to in an hour; the console changes that under 应用管理 › 发送频率限制."
        "触发腾讯云对单个手机号的小时发送上限，可在控制台调整。";
    "LimitExceeded.PhoneNumberThirtySecondLimit" Often
        "Tencent Cloud sends to one number once in 30 seconds by default."
        "触发腾讯云对单个手机号 30 秒内的发送上限。";
    "LimitExceeded.PhoneNumberSameContentDailyLimit" Often
        "Tencent Cloud limits how often one number gets the same text."
        "触发腾讯云对单个手机号相同内容的发送上限。";
    "LimitExceeded.AppDailyLimit" Busy
        "The day's ceiling of the SMS app is reached; raise it in Tencent Cloud's console."
        "短信应用的日发送量已达上限，可在腾讯云控制台调高。";
    "LimitExceeded.DeliveryFrequencyLimit" Busy
        "Tencent Cloud takes no more messages a second from this account."
        "触发腾讯云的下发频率限制，请稍后再试。";
    "LimitExceeded" Busy
        "A ceiling set in Tencent Cloud's console is reached."
        "已达到腾讯云控制台设置的上限。";
    "RequestLimitExceeded" Busy
        "Tencent Cloud takes no more requests a second from this account."
        "触发腾讯云的接口流控，请稍后再试。";
    "FailedOperation.SignatureIncorrectOrUnapproved" Setup
        "sign_name is not an approved signature of this app; copy its text from Tencent Cloud's console, without 【】, and not its number."
        "sign_name 不是审核通过的签名；请填写签名内容（不含【】），不是签名 ID。";
    "FailedOperation.TemplateIncorrectOrUnapproved" Setup
        "template_id is not an approved template of this app."
        "template_id 不是审核通过的模板，或不属于该应用。";
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate" Setup
        "template_params does not fit the template: as many values as it has {1}, {2} …"
        "template_params 与模板的变量个数不符。";
    "FailedOperation.TemplateUnapprovedOrNotExist" Setup
        "template_id is not an approved template of this app."
        "template_id 不存在或未审核通过。";
    "FailedOperation.InsufficientBalanceInSmsPackage" Setup
        "The SMS package of the app is used up; buy another."
        "短信套餐包余量不足，请购买。";
    "FailedOperation.PhoneNumberInBlacklist" Recipient
        "The number is on Tencent Cloud's blocklist, mostly because its owner refused messages."
        "该号码在腾讯云黑名单中，多因用户退订。";
    "FailedOperation.ContainSensitiveWord" Setup
        "A value holds a word that Tencent Cloud blocks; look at the names of your websites if `template_params` has {site}."
        "内容含有敏感词；如 template_params 使用了 {site}，请检查网站名称。";
    "InvalidParameterValue.IncorrectPhoneNumber" Recipient
        "Tencent Cloud does not take this number."
        "腾讯云不接受该手机号码。";
    "InvalidParameterValue.TemplateParameterFormatError" Setup
        "A value does not fit the template's kind of variable; a code variable takes at most six digits."
        "变量内容不符合要求；验证码变量只能是不超过 6 位的数字。";
    "InvalidParameterValue.TemplateParameterLengthLimit" Setup
        "A value is longer than the template's variable allows; leave {site} out of template_params."
        "变量长度超出限制，请不要在 template_params 中放入 {site}。";
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail" Setup
        "app_id (SdkAppId) does not belong to this account."
        "app_id（SdkAppId）不属于该账号。";
    "UnauthorizedOperation.RequestIpNotInWhitelist" Setup
        "This machine's address is not among those that Tencent Cloud's console allows for the app."
        "本机 IP 不在腾讯云控制台设置的白名单中。";
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny" Setup
        "A personal account may not send this kind of message."
        "个人用户没有发送该类短信的权限。";
    "UnauthorizedOperation" Setup
        "The key lacks the permission sms:SendSms; grant QcloudSMSFullAccess or a policy with it."
        "密钥没有 sms:SendSms 权限，请在访问管理中授权。";
    "AuthFailure.SecretIdNotFound" Setup
        "Tencent Cloud does not know secret_id; it may have been deleted or switched off."
        "腾讯云不认识该 secret_id，可能已删除或禁用。";
    "AuthFailure.SignatureFailure" Setup
        "secret_key does not belong to secret_id."
        "secret_key 与 secret_id 不匹配。";
    "AuthFailure.SignatureExpire" Setup
        "This machine's clock is wrong by more than 5 minutes; switch time synchronization on."
        "本机时钟偏差超过 5 分钟，请开启时间同步。";
    "AuthFailure" Setup
        "Tencent Cloud does not accept the key; look at secret_id and secret_key."
        "腾讯云不接受该密钥，请检查 secret_id 和 secret_key。";
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber" Setup
        "The template is for messages inside the mainland only, or outside only."
        "该模板只能发送国内或只能发送国际短信。";
    "UnsupportedOperation.UnsupportedRegion" Setup
        "Tencent Cloud does not send SMS from this region; use ap-guangzhou, ap-beijing or ap-nanjing."
        "该地域不支持短信服务，请使用 ap-guangzhou、ap-beijing 或 ap-nanjing。";
    "InternalError" Down
        "Tencent Cloud has a fault of its own; it passes, or its support knows."
        "腾讯云内部错误，请稍后再试或联系客服。";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_once_and_unknown_parts_fall_back_to_the_first() {
        let mut codes: Vec<_> = REMEDIES.iter().map(|remedy| remedy.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), REMEDIES.len());
        assert_eq!(of("isv.BUSINESS_LIMIT_CONTROL").map(|remedy| remedy.failure), Some(SendFailure::Often));
        assert_eq!(of("AuthFailure.TokenFailure").map(|remedy| remedy.code), Some("AuthFailure"));
        assert!(of("isv.SOMETHING_NEW").is_none() && of("").is_none());
    }
}
