//! A file that has its final name only once it is complete.
//!
//! It is written beside its final place as `.<name>.partial`, and is renamed when all of it is on the disk. Dropped
//! before that it is removed; a killed process leaves the partial name, which the next writer clears away. A lock on it
//! tells a leftover from a file that another process is still writing.

use super::FileError;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Room for what a few hundred rows take, so that a row costs no system call.
const BUFFER_BYTES: usize = 1 << 16;

/// A file in the making.
#[derive(Debug)]
pub(super) struct PartialFile {
    final_path: PathBuf,
    partial_path: PathBuf,
    file: BufWriter<File>,
    overwrite: bool,
    is_published: bool,
}

/// The CRC-32 of all that a file has.
pub(super) fn crc32(mut file: File) -> io::Result<u32> {
    let (mut hasher, mut buffer) = (crc32fast::Hasher::new(), vec![0; BUFFER_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The name under which the file of this name is written.
pub(super) fn partial_name(name: &str) -> String {
    format!(".{name}.partial")
}

/// The final name of which this is a partial one.
pub(super) fn final_name(name: &str) -> Option<&str> {
    let inner = name.strip_prefix('.')?.strip_suffix(".partial")?;
    // As `create_shared` numbers them.
    let numbered = inner.rsplit_once('~').filter(|(_, number)| number.parse::<u32>().is_ok());
    Some(numbered.map_or(inner, |(name, _)| name))
}

/// `None` if the path has no last part that is text.
fn partial_path(final_path: &Path) -> Option<PathBuf> {
    Some(final_path.with_file_name(partial_name(final_path.file_name()?.to_str()?)))
}

/// Refuses a path at which something is that must not be replaced.
fn check_free(path: &Path, overwrite: bool) -> Result<(), FileError> {
    let path_buf = || path.to_owned();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::create(path)(error)),
        // Never a device, a pipe or a link: renaming over one would take it away from everybody.
        Ok(found) if !found.is_file() => Err(FileError::NotAFile { path: path_buf() }),
        Ok(_) if !overwrite => Err(FileError::Exists { path: path_buf() }),
        Ok(_) => Ok(()),
    }
}

/// Removes what a killed process left, unless a live one still writes it.
pub(super) fn clear_leftover(final_path: &Path) -> Result<(), FileError> {
    let Some(partial_path) = partial_path(final_path) else { return Ok(()) };
    let partial_path = &partial_path;
    // To write: over NFS there is no other lock that excludes somebody.
    let Ok(leftover) = File::options().write(true).open(partial_path) else { return Ok(()) };
    if matches!(leftover.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(FileError::InUse { path: final_path.to_owned() });
    }
    match fs::remove_file(partial_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::create(partial_path)(error)),
        _ => Ok(()),
    }
}

impl PartialFile {
    /// Opens a file that will be called `path`.
    ///
    /// # Errors
    /// If something of that name exists and `overwrite` is not given, if it is no ordinary file, if another process is
    /// writing it, or if it cannot be created.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, FileError> {
        check_free(path, overwrite)?;
        let Some(partial_path) = partial_path(path) else {
            return Err(FileError::NotAFile { path: path.to_owned() });
        };
        clear_leftover(path)?;
        let file = File::create_new(&partial_path).map_err(FileError::create(path))?;
        // A file system without locks only loses the warning about a second writer.
        let _ = file.try_lock();
        Ok(PartialFile::of(path, partial_path, file, overwrite))
    }

    /// Opens a file that will be called `path`, and that other processes may be writing too, to the same bytes: each has
    /// a partial name of its own, and the last to publish replaces what is there.
    ///
    /// # Errors
    /// If something of that name is no ordinary file, or if it cannot be created.
    pub fn create_shared(path: &Path) -> Result<Self, FileError> {
        check_free(path, true)?;
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| FileError::NotAFile { path: path.to_owned() })?;
        // What a killed process left keeps its number: nobody can tell here whether it still writes.
        for number in 1_u32.. {
            let partial_path = path.with_file_name(partial_name(&format!("{name}~{number}")));
            match File::create_new(&partial_path) {
                Ok(file) => return Ok(PartialFile::of(path, partial_path, file, true)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FileError::create(path)(error)),
            }
        }
        Err(FileError::InUse { path: path.to_owned() })
    }

    fn of(path: &Path, partial_path: PathBuf, file: File, overwrite: bool) -> Self {
        PartialFile {
            final_path: path.to_owned(),
            partial_path,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            overwrite,
            is_published: false,
        }
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.final_path
    }

    /// A second way to write the same file, for an encoder that wants to own its writer; flush it before `commit`.
    #[cfg(feature = "files")]
    pub fn second_handle(&self) -> Result<BufWriter<File>, FileError> {
        let handle = self.file.get_ref().try_clone().map_err(FileError::create(&self.final_path))?;
        Ok(BufWriter::with_capacity(BUFFER_BYTES, handle))
    }

    /// Brings everything to the disk, still under the partial name; returns the size in bytes.
    pub fn store(&mut self) -> Result<u64, FileError> {
        let mut store = || {
            self.file.flush()?;
            let file = self.file.get_ref();
            // Some file systems say only now that the disk is full.
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        store().map_err(FileError::write(&self.final_path))
    }

    /// The CRC-32 of what was stored.
    pub fn crc32(&self) -> Result<u32, FileError> {
        File::open(&self.partial_path).and_then(crc32).map_err(FileError::write(&self.final_path))
    }

    /// Gives the stored file its final name.
    pub fn publish(mut self) -> Result<(), FileError> {
        // Something may have come there while we were writing.
        check_free(&self.final_path, self.overwrite)?;
        fs::rename(&self.partial_path, &self.final_path).map_err(FileError::write(&self.final_path))?;
        self.is_published = true;
        // The name, too, should outlast a power cut; where a folder cannot be synced, there is nothing to be done.
        let folder = self.final_path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }

    /// Stores and publishes; returns the size in bytes.
    pub fn commit(mut self) -> Result<u64, FileError> {
        let bytes = self.store()?;
        self.publish()?;
        Ok(bytes)
    }

    /// A file on a device that is always full.
    #[cfg(all(test, target_os = "linux"))]
    pub fn on_full_disk(path: &Path) -> Self {
        let mut partial = PartialFile::create(path, false).unwrap();
        partial.file = BufWriter::new(File::options().write(true).open("/dev/full").unwrap());
        partial
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.is_published {
            // Nobody is left to tell; the next writer of this file clears it away.
            let _ = fs::remove_file(&self.partial_path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = (fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_final_name_appears_with_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut file = PartialFile::create(&path, false).unwrap();
        file.write_all(b"hello").unwrap();
        assert_eq!(names(folder.path()), [".a.csv.partial"]);
        assert_eq!(file.commit().unwrap(), 5);
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"hello");
    }

    #[test]
    fn dropped_it_leaves_nothing_and_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "old").unwrap();
        assert!(matches!(PartialFile::create(&path, false), Err(FileError::Exists { .. })));
        let mut file = PartialFile::create(&path, true).unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_leftover_is_cleared_but_a_live_writer_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(folder.path().join(".a.csv.partial"), "half a line").unwrap();
        let first = PartialFile::create(&path, false).unwrap();
        assert!(matches!(PartialFile::create(&path, false), Err(FileError::InUse { .. })));
        assert_eq!(first.commit().unwrap(), 0);
    }

    #[test]
    fn two_may_write_the_same_bytes_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(folder.path().join(".a.csv~1.partial"), "of one that was killed").unwrap();
        let [mut first, mut second] = [(); 2].map(|()| PartialFile::create_shared(&path).unwrap());
        first.write_all(b"same").unwrap();
        second.write_all(b"same").unwrap();
        assert_eq!(names(folder.path()), [".a.csv~1.partial", ".a.csv~2.partial", ".a.csv~3.partial"]);
        assert!(names(folder.path()).iter().all(|name| final_name(name) == Some("a.csv")));
        second.commit().unwrap();
        first.commit().unwrap();
        assert_eq!(names(folder.path()), [".a.csv~1.partial", "a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"same");
    }

    #[test]
    fn what_came_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let file = PartialFile::create(&path, false).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        assert!(matches!(file.commit(), Err(FileError::Exists { .. })));
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
    }

    #[test]
    fn only_ordinary_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(PartialFile::create(folder.path(), true), Err(FileError::NotAFile { .. })));
        let missing = folder.path().join("no/such/folder/a.csv");
        assert!(matches!(PartialFile::create(&missing, true), Err(FileError::Create { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = PartialFile::on_full_disk(&folder.path().join("a.csv"));
        file.write_all(b"hello").unwrap();
        let error = file.commit().unwrap_err();
        assert!(matches!(error, FileError::Write { .. }) && !error.is_bad_input());
        assert!(error.to_string().contains("a.csv: No space left on device"), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
