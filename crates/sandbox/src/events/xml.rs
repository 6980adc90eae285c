//! The flat XML of pushed messages and their replies: one `<xml>` with elements of text (WeChat fact sheet §4.6, §4.7).

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

/// One element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// In CDATA, as texts are.
    Text(&'static str, String),
    /// Bare, as numbers are.
    Number(&'static str, i64),
}

/// The elements within `<xml>`.
pub(crate) fn write(elements: &[Element]) -> String {
    let mut xml = "<xml>".to_owned();
    for element in elements {
        match element {
            Element::Text(name, text) => {
                // The end mark cannot stand inside CDATA; it is cut in two.
                let text = text.replace("]]>", "]]]]><![CDATA[>");
                xml.push_str(&format!("<{name}><![CDATA[{text}]]></{name}>"));
            }
            Element::Number(name, number) => xml.push_str(&format!("<{name}>{number}</{name}>")),
        }
    }
    xml.push_str("</xml>");
    xml
}

/// Child elements of `<xml>` and their texts; nothing when this is no such document. Deeper elements, as rich replies
/// have them, are passed over.
pub(crate) fn read(text: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut elements = BTreeMap::new();
    let mut seen_root = false;
    loop {
        let piece = match reader.read_event().ok()? {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                seen_root |= path.len() == 1 && path[0] == "xml";
                if path.len() == 2 {
                    elements.entry(path[1].clone()).or_insert_with(String::new);
                }
                continue;
            }
            Event::End(_) => {
                path.pop();
                continue;
            }
            Event::Text(text) => text.xml10_content().into_owned(),
            Event::CData(text) => text.xml10_content().into_owned(),
            Event::GeneralRef(name) => match &*name {
                "lt" => "<".to_owned(),
                "gt" => ">".to_owned(),
                "amp" => "&".to_owned(),
                "quot" => "\"".to_owned(),
                "apos" => "'".to_owned(),
                _ => return None,
            },
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => continue,
        };
        if let [root, name] = path.as_slice()
            && root == "xml"
        {
            elements.entry(name.clone()).or_default().push_str(&piece);
        }
    }
    (seen_root && path.is_empty()).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let xml = write(&[
            Element::Text("Content", "a]]>b & <c>".to_owned()),
            Element::Number("CreateTime", 1_700_000_000),
        ]);
        assert!(xml.contains("<CreateTime>1700000000</CreateTime>"));
        let read = read(&xml).unwrap();
        assert_eq!((read["Content"].as_str(), read["CreateTime"].as_str()), ("a]]>b & <c>", "1700000000"));
    }

    #[test]
    fn only_flat_documents_without_a_doctype_are_read() {
        assert_eq!(read("<xml><A>1 &lt; 2</A>\n<B><C>x</C></B></xml>").unwrap()["A"], "1 < 2");
        for broken in [
            "",
            "success",
            "{}",
            "<html></html>",
            "<xml><A>",
            "<xml></A></xml>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><A>&a;</A></xml>",
            "<xml><A>&a;</A></xml>",
        ] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
