//! Columns of text.

/// Rows under a heading; a column of numbers is aligned at its right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading.
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row; it has as many cells as the heading.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Its lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows[0].len();
        let cells = |column: usize| self.rows.iter().map(move |row| row.get(column).map_or("", String::as_str));
        let width: Vec<usize> =
            (0..columns).map(|at| cells(at).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
        let is_number = |cell: &str| cell.is_empty() || cell.bytes().all(|byte| byte.is_ascii_digit());
        let right: Vec<bool> = (0..columns).map(|at| cells(at).skip(1).all(is_number)).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().enumerate().map(|(at, cell)| match right[at] {
                true => format!("{cell:>0$}", width[at]),
                false => format!("{cell:<0$}", width[at]),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right_and_words_at_the_left() {
        let mut table = Table::new(&["crate", "bytes", "features"]);
        table.row(vec!["a".into(), "1000".into(), "x".into()]);
        table.row(vec!["longer".into(), "7".into(), "".into()]);
        assert_eq!(table.lines(), ["crate   bytes  features", "a        1000  x", "longer      7"]);
    }
}
