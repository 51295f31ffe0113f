//! Texts as people and programs write them, and the rows and problems that come of them.

use super::*;

static LAYOUT: Layout = Layout { known: &["id", "name", "region"], needed: &[0], further: true };
static CLOSED: Layout = Layout { known: &["id", "name"], needed: &[0], further: false };

/// Rows as `LINE id=x name=y`, and problems as `LINE:COLUMN code message`.
fn read_as(form: TableForm, text: &str, layout: &'static Layout) -> (Vec<String>, Vec<String>) {
    let mut report = Report::new(text);
    let mut rows: Vec<(usize, Vec<(Column, String)>)> = Vec::new();
    let names = read(form, text, layout, &mut report, |row, report| {
        row.need(0, layout, report);
        rows.push((row.offset, row.cells().map(|(column, text)| (column, text.to_owned())).collect()));
    });
    let shown = |(offset, cells): (usize, Vec<(Column, String)>)| {
        let line = text[..offset].matches('\n').count() + 1;
        let cells = cells.into_iter().map(|(column, text)| format!(" {}={text}", names[usize::from(column)]));
        cells.fold(line.to_string(), |row, cell| row + &cell)
    };
    let problems = report.into_problems();
    let told = problems.iter().map(|problem| format!("{}:{} {} {}", problem.line, problem.column, problem.code, problem.message));
    (rows.into_iter().map(shown).collect(), told.collect())
}

fn csv(text: &str) -> (Vec<String>, Vec<String>) {
    read_as(TableForm::Csv, text, &LAYOUT)
}

fn ndjson(text: &str) -> (Vec<String>, Vec<String>) {
    read_as(TableForm::Ndjson, text, &LAYOUT)
}

fn hints(form: TableForm, text: &str) -> Vec<String> {
    let mut report = Report::new(text);
    read(form, text, &LAYOUT, &mut report, |_, _| {});
    report.into_problems().into_iter().filter_map(|problem| problem.hint).collect()
}

const GOOD: [&str; 0] = [];

#[test]
fn rows_are_read_whatever_ends_their_lines() {
    for end in ["\n", "\r\n", "\n\n", "\r\n\r\n", "\n  \n", "\r\n,,\r\n"] {
        for last in ["", end] {
            let text = ["id,name,x", "1,a,", "2,b,c"].join(end) + last;
            let lines = end.matches('\n').count();
            let rows = [format!("{} id=1 name=a", 1 + lines), format!("{} id=2 name=b x=c", 1 + 2 * lines)];
            assert_eq!(csv(&text), (rows.to_vec(), vec![]), "{text:?}");
        }
    }
}

#[test]
fn a_quoted_field_may_hold_commas_quotes_and_line_breaks() {
    let (rows, told) = csv("id,name\n1,\"a, \"\"b\"\"\r\nc\"\r\n2,d\n3,\"\"\n\"4\",\" e \"\n5,x\"y\"\n");
    assert_eq!(told, GOOD);
    assert_eq!(rows, ["2 id=1 name=a, \"b\"\r\nc", "4 id=2 name=d", "5 id=3", "6 id=4 name=e", "7 id=5 name=x\"y\""]);
}

#[test]
fn a_row_of_another_length_than_the_header_is_told_on_its_own_line() {
    let (rows, told) = csv("id,name\r\n\r\n1,\"a\r\nb\"\r\n2\r\n3,c,d\r\n4,e\r\n");
    assert_eq!(rows, ["3 id=1 name=a\r\nb", "7 id=4 name=e"]);
    assert_eq!(told, ["5:1 bad_row this row has 1 field, the header has 2", "6:1 bad_row this row has 3 fields, the header has 2"]);
}

#[test]
fn a_quote_that_is_never_closed_is_told_where_its_row_begins() {
    for open in ["2,\"b\n3,c\n", "2,\"b", "2,\"", "2,\"b\"\"\n", "2,\"b\n\0", "2,\"\n\0"] {
        let (rows, told) = csv(&format!("id,name\n1,a\n{open}"));
        assert_eq!(rows, ["2 id=1 name=a"], "{open:?}");
        assert_eq!(told, ["3:1 open_quote this row has a quote that is never closed"], "{open:?}");
    }
    assert_eq!(csv("\"id,name\n1,a\n").1[0], "1:1 open_quote this row has a quote that is never closed");
    for closed in ["2,\"b\"", "2,\"b\"\"\"", "2,b\"", "\"2\",\"\"", "2,\"b\"\r", "2,\u{0}"] {
        assert_eq!(csv(&format!("id,name\n1,a\n{closed}")).1, GOOD, "{closed:?}");
    }
    assert_eq!(csv("id\n1\n\0").0, ["2 id=1", "3 id=\0"]);
}

#[test]
fn a_quote_after_a_blank_would_be_part_of_the_value_and_is_told() {
    let (_, told) = csv("id,name\n1, \"a\"\n2,\"b\" \n3,\" c \"\n4, d\n5, \"e\" f\n");
    assert_eq!(told, ["2:1 stray_quote this row has blanks around a quoted field"]);
}

#[test]
fn a_header_is_needed() {
    for text in ["", "\n", "  \n\r\n", ",,\n"] {
        assert_eq!(csv(text), (vec![], vec!["0:0 no_header the table has no header".to_owned()]), "{text:?}");
    }
    assert_eq!(hints(TableForm::Csv, ""), ["name the columns in the first line: id, name, region"]);
}

#[test]
fn a_header_without_a_needed_column_is_one_problem() {
    let rows = "1,a\n".repeat(1000);
    let (read, told) = csv(&format!("key,name\n{rows}"));
    assert_eq!((read.len(), told), (1000, vec!["1:1 missing_column the header has no column id".to_owned()]));
    for (header, hint) in [
        ("key,name", "name the columns in the first line: id, name, region"),
        ("name,di", "is column 2 meant to be it?"),
        ("id;name", "separate the columns with commas, not with semicolons"),
        ("id\tname", "separate the columns with commas, not with tabs"),
    ] {
        assert_eq!(hints(TableForm::Csv, &format!("{header}\n"))[0], hint);
    }
}

#[test]
fn a_header_that_is_ambiguous_is_told_by_number_and_not_by_name() {
    let (rows, told) = csv("\nid,tier,,Tier,tier, ID ,\n1,a,b,c,d,e,f\n");
    assert_eq!(rows, ["3 id=1 tier=a Tier=c"]);
    assert_eq!(
        told,
        [
            "2:1 blank_column column 3 of the header has no name",
            "2:1 duplicate_column columns 2 and 5 of the header have one name",
            "2:1 duplicate_column columns 1 and 6 of the header have one name",
            "2:1 blank_column column 7 of the header has no name",
        ]
    );
}

#[test]
fn a_slip_of_a_known_column_that_is_lacking_is_told_and_kept() {
    let (rows, told) = csv("id,nmae,regions,region,Sales Area\n1,a,b,c,d\n");
    assert_eq!(rows, ["2 id=1 nmae=a regions=b region=c Sales Area=d"]);
    assert_eq!(told, ["1:1 unknown_column column 2 of the header is none that leadstream knows"]);
    assert_eq!(hints(TableForm::Csv, "id,nmae\n"), ["did you mean name?"]);
}

#[test]
fn a_table_without_further_columns_reads_none() {
    let (rows, told) = read_as(TableForm::Csv, "id,jane@adatum.example\n1,x\n", &CLOSED);
    assert_eq!((rows, told), (vec!["2 id=1".into()], vec!["1:1 unknown_column column 2 of the header is not read".into()]));
    let text = "{\"id\":1,\"jane\":2}\n{\"id\":2,\"jane\":3}\n";
    let (rows, told) = read_as(TableForm::Ndjson, text, &CLOSED);
    assert_eq!((rows.len(), told), (2, vec!["1:1 unknown_column rows have columns that are not read".into()]));
}

#[test]
fn an_object_a_line_is_a_row() {
    let text = "{\"id\":\" 1 \",\"name\":\"\\u00e4\\n\\\"\",\"n\":1.50,\"yes\":true,\"none\":null,\"blank\":\" \"}\r\n\r\n {\"NAME\": \"b\", \"id\":2}";
    assert_eq!(ndjson(text), (vec!["1 id=1 name=ä\n\" n=1.50 yes=true".to_owned(), "3 name=b id=2".to_owned()], vec![]));
}

#[test]
fn a_line_that_is_no_object_is_told_without_a_piece_of_it() {
    let text = "{\"id\":1}\n\"jane\"\n7\nnull\n{\"id\":\n{\"id\":\"jane}\n{\"id\":1} x\n{id:1}\n{\"id\":\"\\q\"}\n[1]\n";
    let (rows, told) = ndjson(text);
    assert_eq!(rows, ["1 id=1"]);
    assert_eq!(
        told,
        [
            "2:6 bad_row this line is no JSON object",
            "3:1 bad_row this line is no JSON object",
            "4:4 bad_row this line is no JSON object",
            "5:6 bad_row this line is no JSON object: it ends too early",
            "6:12 bad_row this line is no JSON object: it ends too early",
            "7:10 bad_row this line is no JSON object: trailing characters",
            "8:2 bad_row this line is no JSON object: key must be a string",
            "9:9 bad_row this line is no JSON object: invalid escape",
            "10:1 bad_row this line is no JSON object",
        ]
    );
}

#[test]
fn a_value_that_is_no_text_and_a_column_that_comes_twice_are_told() {
    let text = "{\"id\":1,\"name\":[1],\"tier\":{},\"jane@adatum.example\":[],\"x\":\"\\ud83d\"}\n{\"id\":1,\"ID\":2,\"name\":null,\"name\":\"a\"}\n{}\n";
    let (rows, told) = ndjson(text);
    assert_eq!(rows, ["1 id=1", "2 id=1 name=a", "3"]);
    assert_eq!(
        told,
        [
            "1:1 bad_column name of this row is no text, number or boolean",
            "1:1 bad_column tier of this row is no text, number or boolean",
            "1:1 bad_column a column of this row is no text, number or boolean",
            "1:1 bad_column x of this row is no text, number or boolean",
            "2:1 duplicate_column ID stands twice in this row",
            "3:1 missing_value this row has no id",
        ]
    );
}

#[test]
fn an_array_is_told_once_with_the_way_out() {
    let text = "\n [\n{\"id\":1},\n{\"id\":2}\n]\n";
    assert_eq!(ndjson(text), (vec![], vec!["2:2 bad_row this is a JSON array".to_owned()]));
    assert_eq!(hints(TableForm::Ndjson, text), ["write one JSON object a line: jq -c '.[]' makes that of it"]);
}

#[test]
fn a_value_is_bounded_and_so_are_columns() {
    let long = "x".repeat(LONGEST_CELL + 1);
    let told = "2:1 long_value this row has a value of 65536 bytes, 65535 are the most";
    assert_eq!(csv(&format!("id,name\n1,{long}\n2,{}\n", &long[1..])).1, [told]);
    assert_eq!(ndjson(&format!("\n{{\"id\":1,\"name\":\"{long}\"}}\n")).1, [told]);

    let names: Vec<String> = (0..MOST_COLUMNS).map(|number| format!("c{number}")).collect();
    let (rows, told) = csv(&format!("id,{}\n1{}\n", names.join(","), ",x".repeat(names.len())));
    assert_eq!(told, ["1:1 too_many_columns the header has more than 1000 columns"]);
    assert_eq!(rows[0].matches('=').count(), MOST_COLUMNS - 2, "name and region keep their places");
    let lines: Vec<String> = names.iter().map(|name| format!("{{\"id\":1,\"{name}\":2}}\n")).collect();
    assert_eq!(ndjson(&lines.concat()).1, ["998:1 too_many_columns the rows have more than 1000 columns"]);
}
