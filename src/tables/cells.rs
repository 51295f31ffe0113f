//! Many rows of short texts in one stretch of bytes, so that a million of them take little more than their text and the cells
//! of a row lie side by side in memory. Knows columns by number only.

/// The number of a column: its place among the table's column names.
pub(super) type Column = u16;

/// The most bytes of one cell: its length is kept in 16 bits.
pub(super) const LONGEST_CELL: usize = u16::MAX as usize;

/// Rows one after the other: of each cell its column plus one, its length and its text; then a zero. Numbers take two bytes,
/// little-endian.
#[derive(Clone, Default)]
pub(super) struct CellStore {
    bytes: Vec<u8>,
}

impl CellStore {
    /// Adds a row and tells its place; `None`: it does not fit, and nothing was added.
    pub(super) fn push<'c>(&mut self, cells: impl Iterator<Item = (Column, &'c str)>) -> Option<u32> {
        let start = self.bytes.len();
        let place = u32::try_from(start).ok()?;
        let whole = self.write(cells).is_some();
        if !whole {
            self.bytes.truncate(start);
        }
        whole.then_some(place)
    }

    fn write<'c>(&mut self, cells: impl Iterator<Item = (Column, &'c str)>) -> Option<()> {
        for (column, text) in cells {
            self.bytes.extend(column.checked_add(1)?.to_le_bytes());
            self.bytes.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
            self.bytes.extend(text.as_bytes());
        }
        self.bytes.extend([0; 2]);
        Some(())
    }

    /// The cells of the row at a place that [`CellStore::push`] told.
    pub(super) fn row(&self, place: u32) -> Cells<'_> {
        Cells(usize::try_from(place).ok().and_then(|place| self.bytes.get(place..)).unwrap_or_default())
    }

    /// No more rows come: gives back what was kept for them.
    pub(super) fn close(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

/// The cells of a row, in the order in which they were added; all that follows them too.
pub(super) struct Cells<'t>(&'t [u8]);

impl<'t> Iterator for Cells<'t> {
    type Item = (Column, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let (column, rest) = number(self.0)?;
        let (length, rest) = number(rest)?;
        let (text, rest) = rest.split_at_checked(usize::from(length))?;
        let column = column.checked_sub(1)?;
        self.0 = rest;
        Some((column, std::str::from_utf8(text).unwrap_or_default()))
    }
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_added() {
        let mut store = CellStore::default();
        let long = "ö".repeat(LONGEST_CELL / 2);
        let rows: [&[(Column, &str)]; 4] = [&[(0, "a.example"), (3, "Ärger & Söhne")], &[], &[(65_534, &long), (1, "")], &[(2, "x")]];
        let places: Vec<u32> = rows.iter().map(|row| store.push(row.iter().copied()).expect("it fits")).collect();
        store.close();
        for (row, place) in rows.iter().zip(places) {
            assert_eq!(store.row(place).collect::<Vec<_>>(), *row);
        }
    }

    #[test]
    fn a_row_that_does_not_fit_leaves_no_trace() {
        let mut store = CellStore::default();
        let too_long = "x".repeat(LONGEST_CELL + 1);
        assert_eq!(store.push([(0, "a"), (1, &*too_long)].into_iter()), None);
        assert_eq!(store.push([(0, "b")].into_iter()), Some(0));
        assert_eq!(store.row(0).collect::<Vec<_>>(), [(0, "b")]);
    }

    #[test]
    fn a_place_that_is_none_has_no_cells() {
        let store = CellStore::default();
        assert_eq!((store.row(0).count(), store.row(u32::MAX).count()), (0, 0));
    }
}
