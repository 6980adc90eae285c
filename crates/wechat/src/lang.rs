//! The language WeChat is asked to speak. Each page and call spells the same language differently.

/// A language of WeChat's pages and of the texts in its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Simplified Chinese, WeChat's own default.
    #[default]
    ZhCn,
    /// Traditional Chinese. The QR page knows only `cn` and `en` and shows simplified Chinese instead.
    ZhTw,
    /// English.
    En,
}

impl Lang {
    /// As `/sns/userinfo` spells it (WeChat fact sheet §2.5).
    pub(crate) fn for_userinfo(self) -> &'static str {
        match self {
            Self::ZhCn => "zh_CN",
            Self::ZhTw => "zh_TW",
            Self::En => "en",
        }
    }

    /// As the QR page spells it, where only English need be named (WeChat fact sheet §1.1, §1.6).
    pub(crate) fn for_qr_page(self) -> Option<&'static str> {
        (self == Self::En).then_some("en")
    }
}
