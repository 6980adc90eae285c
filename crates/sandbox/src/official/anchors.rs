//! Texts of an account with links in them: only `<a href="…">` is understood, everything else is text.

use serde::Serialize;

/// A piece of a message; with `href` it is a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<String>,
}

/// The pieces in order. A link that is no http(s) address, or that does not end, stays text.
pub(crate) fn pieces(message: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = message;
    let mut plain = String::new();
    while let Some(at) = rest.find("<a ") {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match anchor(rest) {
            Some((piece, after)) => {
                add_plain(&mut pieces, &mut plain);
                pieces.push(piece);
                rest = after;
            }
            None => {
                plain.push_str("<a ");
                rest = &rest["<a ".len()..];
            }
        }
    }
    plain.push_str(rest);
    add_plain(&mut pieces, &mut plain);
    pieces
}

fn add_plain(pieces: &mut Vec<Piece>, plain: &mut String) {
    if !plain.is_empty() {
        pieces.push(Piece { text: std::mem::take(plain), href: None });
    }
}

/// The link at the start of the text, and what follows it.
fn anchor(text: &str) -> Option<(Piece, &str)> {
    let (tag, after) = text.split_once('>')?;
    let (label, after) = after.split_once("</a>")?;
    let value = tag.split_once("href=")?.1;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let href = value[1..].split_once(quote)?.0.replace("&amp;", "&");
    let good = href.starts_with("https://") || href.starts_with("http://");
    good.then(|| (Piece { text: label.to_owned(), href: Some(href) }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str) -> Vec<(String, Option<String>)> {
        pieces(message).into_iter().map(|piece| (piece.text, piece.href)).collect()
    }

    #[test]
    fn links_are_found_between_texts() {
        let message = "要登录吗？\n<a href=\"https://a.example/c?x=1&amp;y=2\">确认</a> or <a href='http://b.example/'>b</a>.";
        assert_eq!(
            shown(message),
            [
                ("要登录吗？\n".to_owned(), None),
                ("确认".to_owned(), Some("https://a.example/c?x=1&y=2".to_owned())),
                (" or ".to_owned(), None),
                ("b".to_owned(), Some("http://b.example/".to_owned())),
                (".".to_owned(), None),
            ]
        );
    }

    #[test]
    fn anything_else_is_text() {
        for text in
            ["<a href=\"javascript:x\">x</a>", "<a href=\"https://a.example/\">open", "<b>x</b>", "<a >x</a>"]
        {
            assert_eq!(shown(text), [(text.to_owned(), None)]);
        }
    }
}
