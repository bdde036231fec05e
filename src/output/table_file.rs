//! A table on its way into a file, batch by batch, in the format that the file's name asks for.

use super::FileError;
use super::csv::CsvEncoder;
#[cfg(feature = "files")]
use super::parquet::ParquetEncoder;
use super::partial::PartialFile;
use super::table::Table;
use std::path::Path;

/// Whether this build can write Parquet files; CSV it always can.
pub const PARQUET_AVAILABLE: bool = cfg!(feature = "files");

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WrittenFile {
    /// Its name, without the folder.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// The CRC-32 of these, so that what was changed since is not taken for results.
    #[serde(default)]
    pub crc32: Option<u32>,
}

enum Encoder {
    Csv(Box<CsvEncoder>),
    #[cfg(feature = "files")]
    Parquet(Box<ParquetEncoder>),
}

/// A file of one table. Only [`Self::finish`] gives it its name; dropped before, it leaves nothing behind.
pub(super) struct TableFile {
    name: String,
    encoder: Encoder,
    rows: u64,
}

impl TableFile {
    /// Opens a file for tables with the columns of `table`, and writes its rows.
    ///
    /// # Errors
    /// Those of [`PartialFile::create`], and if the name does not end in `.parquet` or `.csv`.
    pub fn create(path: &Path, overwrite: bool, table: &Table) -> Result<Self, FileError> {
        let open = || PartialFile::create(path, overwrite);
        let encoder = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Encoder::Csv(Box::new(CsvEncoder::new(open()?, table)?)),
            #[cfg(feature = "files")]
            Some("parquet") => Encoder::Parquet(Box::new(ParquetEncoder::new(open()?, table)?)),
            #[cfg(not(feature = "files"))]
            Some("parquet") => return Err(FileError::NoParquet { path: path.to_owned() }),
            _ => return Err(FileError::UnknownFormat { path: path.to_owned() }),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = TableFile { name, encoder, rows: 0 };
        file.write(table)?;
        Ok(file)
    }

    /// Appends a table's rows.
    pub fn write(&mut self, table: &Table) -> Result<(), FileError> {
        self.rows += table.row_count() as u64;
        match &mut self.encoder {
            Encoder::Csv(encoder) => encoder.write(table),
            #[cfg(feature = "files")]
            Encoder::Parquet(encoder) => encoder.write(table),
        }
    }

    /// Brings all of it to the disk, still under its partial name.
    pub fn store(self) -> Result<(PartialFile, WrittenFile), FileError> {
        let mut file = match self.encoder {
            Encoder::Csv(encoder) => encoder.finish()?,
            #[cfg(feature = "files")]
            Encoder::Parquet(encoder) => encoder.finish()?,
        };
        let bytes = file.store()?;
        let crc32 = Some(file.crc32()?);
        Ok((file, WrittenFile { name: self.name, rows: self.rows, bytes, crc32 }))
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<WrittenFile, FileError> {
        let (file, written) = self.store()?;
        file.publish()?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::TableBuilder;
    use super::*;

    /// Enough rows for three row groups, with every type and nulls.
    fn rows(range: std::ops::Range<u64>) -> Table {
        let numbers: Vec<u64> = range.collect();
        let mut table = TableBuilder::new("numbers", &numbers);
        table.uint("number", "count", "a number", |n| *n);
        table.uint("odd", "count", "null if even", |n| (n % 2 == 1).then_some(*n));
        table.float("third", "count", "a third of it", |n| (n % 7 > 0).then_some(*n as f64 / 3.0));
        table
            .text("name", "null now and then", |n| (n % 3 > 0).then(|| format!("{}, a name", n % 10).into()));
        table.bool("is_even", "whether it is even", |n| n % 2 == 0);
        table.finish()
    }

    fn bytes(extension: &str, batch: u64) -> Vec<u8> {
        const ROWS: u64 = 150_000;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("numbers.{extension}"));
        let mut file = TableFile::create(&path, false, &rows(0..0)).unwrap();
        for start in (0..ROWS).step_by(batch as usize) {
            file.write(&rows(start..(start + batch).min(ROWS))).unwrap();
        }
        let written = file.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((written.rows, written.bytes), (ROWS, bytes.len() as u64));
        bytes
    }

    /// Results may be cut into batches as threads, points and resumed commands have it; files must not show it.
    #[test]
    fn bytes_do_not_depend_on_the_batches() {
        for extension in if PARQUET_AVAILABLE { &["csv", "parquet"][..] } else { &["csv"] } {
            let whole = bytes(extension, 150_000);
            for batch in [70_000, 65_536, 4_099, 7] {
                assert!(bytes(extension, batch) == whole, "{extension} in batches of {batch}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_whatever_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = rows(0..10);
        let full_disk = || PartialFile::on_full_disk(&folder.path().join("numbers"));
        let check = |encoder: Encoder| {
            let mut file = TableFile { name: "numbers".to_owned(), encoder, rows: 0 };
            let error = file.write(&numbers).and_then(|()| file.finish()).unwrap_err();
            assert!(error.to_string().contains("No space left on device"), "{error}");
            assert!(!error.is_bad_input());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        };
        check(Encoder::Csv(Box::new(CsvEncoder::new(full_disk(), &numbers).unwrap())));
        #[cfg(feature = "files")]
        check(Encoder::Parquet(Box::new(ParquetEncoder::new(full_disk(), &numbers).unwrap())));
    }

    #[cfg(not(feature = "files"))]
    #[test]
    fn without_parquet_the_message_says_what_to_do() {
        let error = TableFile::create(Path::new("a.parquet"), false, &rows(0..0)).err().unwrap();
        assert!(error.to_string().contains("--features files"), "{error}");
    }
}
