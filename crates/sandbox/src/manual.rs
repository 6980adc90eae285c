//! The description of the script API as a page: `templates/api.md` is the one source, for rustdoc and for this.

use serde::Serialize;

/// A table or a paragraph; texts are cut into plain and code pieces.
#[derive(Serialize)]
pub(crate) struct Block {
    rows: Vec<Vec<Vec<Piece>>>,
    text: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Piece {
    code: bool,
    text: String,
}

/// The blocks of the description, in order.
pub(crate) fn blocks() -> Vec<Block> {
    include_str!("../templates/api.md").trim().split("\n\n").map(block).collect()
}

/// Only the Markdown that the file uses: tables, paragraphs and backticks.
fn block(source: &str) -> Block {
    if !source.starts_with('|') {
        return Block { rows: Vec::new(), text: pieces(source) };
    }
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| pieces(cell.trim())).collect();
    let rows = source.lines().filter(|line| !line.starts_with("|--")).map(cells).collect();
    Block { rows, text: Vec::new() }
}

fn pieces(text: &str) -> Vec<Piece> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| Piece { code: at % 2 == 1, text: part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn description_has_two_tables_of_three_and_two_columns() {
        let tables = blocks().into_iter().filter(|block| !block.rows.is_empty());
        let columns: Vec<BTreeSet<_>> =
            tables.map(|table| table.rows.iter().map(Vec::len).collect()).collect();
        assert_eq!(columns, [BTreeSet::from([3]), BTreeSet::from([2])]);
        assert_eq!(pieces("a `b`")[1], Piece { code: true, text: "b".to_owned() });
    }
}
