//! A sort that holds a few megabytes and keeps the rest on disk.
//!
//! Ids are personal: the file has no name (nobody else can open it, and it is gone with the process, however that ends) and
//! lies in the folder for temporary files, `TMPDIR`. Crates that sort on disk keep named files, which a crash leaves behind.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// Bytes in memory before a run is written.
const HELD: usize = 6 * 1024 * 1024;
/// Bytes in memory while runs are merged, all of them together.
const READ: usize = 4 * 1024 * 1024;

/// Takes keys in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
    runs: Runs,
    held: usize,
}

/// What is on disk: sorted runs, one behind the other in one file.
#[derive(Debug, Default)]
struct Runs {
    file: Option<File>,
    ends: Vec<u64>,
}

impl Sorter {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self::holding(HELD)
    }

    fn holding(held: usize) -> Self {
        Self { bytes: vec![], spans: vec![], runs: Runs::default(), held }
    }

    /// Takes a key.
    pub(super) fn push(&mut self, key: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::new(io::ErrorKind::InvalidData, "an id is larger than a sort may hold");
        if self.bytes.len() + key.len() + (self.spans.len() + 1) * size_of::<(u32, u32)>() > self.held && !self.spans.is_empty() {
            self.write_run()?;
        }
        let (start, length) = (u32::try_from(self.bytes.len()), u32::try_from(key.len()));
        let (Ok(start), Ok(length)) = (start, length) else { return Err(too_large()) };
        self.bytes.extend_from_slice(key);
        self.spans.push((start, length));
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.spans.sort_unstable_by(|one, other| slice(bytes, *one).cmp(slice(bytes, *other)));
        self.spans.dedup_by(|one, other| slice(bytes, *one) == slice(bytes, *other));
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let file = match self.runs.file.take() {
            Some(file) => file,
            None => nameless()?,
        };
        let mut end = self.runs.ends.last().copied().unwrap_or(0);
        let mut writer = BufWriter::with_capacity(256 * 1024, &file);
        for span in &self.spans {
            writer.write_all(&span.1.to_le_bytes())?;
            writer.write_all(slice(&self.bytes, *span))?;
            end += u64::from(span.1) + 4;
        }
        writer.flush()?;
        drop(writer);
        self.runs.file = Some(file);
        self.runs.ends.push(end);
        self.bytes.clear();
        self.spans.clear();
        Ok(())
    }

    /// Everything in order, each key once within what was held together; two equal ones of different runs follow each other.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        if self.runs.ends.is_empty() {
            self.sort();
            return Ok(Sorted::Held { bytes: self.bytes, spans: self.spans.into_iter() });
        }
        if !self.spans.is_empty() {
            self.write_run()?;
        }
        self.bytes = vec![];
        self.spans = vec![];
        let Runs { file: Some(file), ends } = self.runs else { return Err(io::Error::other("runs without a file")) };
        let share = (READ / ends.len()).max(4096);
        let mut start = 0;
        let mut heap = BinaryHeap::with_capacity(ends.len());
        for end in ends {
            let mut run = Run { next: start, end, buffer: vec![], at: 0, share };
            let mut key = vec![];
            if run.read(&file, &mut key)? {
                heap.push(Reverse(Head { key, run }));
            }
            start = end;
        }
        Ok(Sorted::Merged { file, heap })
    }
}

/// A file that only this process can reach, and nobody else could even if it had a name.
fn nameless() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn slice(bytes: &[u8], (start, length): (u32, u32)) -> &[u8] {
    &bytes[start as usize..start as usize + length as usize]
}

/// Gives keys in order.
pub(super) enum Sorted {
    /// All of it fitted into memory.
    Held {
        /// The keys.
        bytes: Vec<u8>,
        /// Where they are.
        spans: std::vec::IntoIter<(u32, u32)>,
    },
    /// Runs, merged as they are read.
    Merged {
        /// The runs.
        file: File,
        /// The first key of each.
        heap: BinaryHeap<Reverse<Head>>,
    },
}

impl Sorted {
    /// Puts the next key into `out`; false when there are no more.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.clear();
        match self {
            Self::Held { bytes, spans } => {
                let Some(span) = spans.next() else { return Ok(false) };
                out.extend_from_slice(slice(bytes, span));
            }
            Self::Merged { file, heap } => {
                let Some(mut first) = heap.peek_mut() else { return Ok(false) };
                std::mem::swap(out, &mut first.0.key);
                let Head { key, run } = &mut first.0;
                if !run.read(file, key)? {
                    std::collections::binary_heap::PeekMut::pop(first);
                }
            }
        }
        Ok(true)
    }
}

/// The next key of a run, and the rest of it.
pub(super) struct Head {
    key: Vec<u8>,
    run: Run,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

struct Run {
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    share: usize,
}

impl Run {
    /// The next key of this run; false at its end.
    fn read(&mut self, file: &File, key: &mut Vec<u8>) -> io::Result<bool> {
        key.clear();
        if self.at == self.buffer.len() && self.next == self.end {
            return Ok(false);
        }
        let mut length = [0; 4];
        length.copy_from_slice(self.take(file, 4)?);
        let length = u32::from_le_bytes(length) as usize;
        key.extend_from_slice(self.take(file, length)?);
        Ok(true)
    }

    /// The next bytes, from memory or from disk.
    fn take(&mut self, file: &File, wanted: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < wanted {
            self.buffer.drain(..self.at);
            self.at = 0;
            let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
            let (kept, more) = (self.buffer.len(), self.share.max(wanted).min(left));
            self.buffer.resize(kept + more, 0);
            let mut file = file;
            file.seek(SeekFrom::Start(self.next))?;
            file.read_exact(&mut self.buffer[kept..])?;
            self.next += more as u64;
        }
        let taken = self.buffer.get(self.at..self.at + wanted).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at += wanted;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(keys: &[Vec<u8>], held: usize) -> (Vec<Vec<u8>>, usize) {
        let mut sorter = Sorter::holding(held);
        keys.iter().for_each(|key| sorter.push(key).unwrap());
        let runs = sorter.runs.ends.len();
        let (mut sorted, mut out, mut found) = (sorter.finish().unwrap(), vec![], vec![]);
        while sorted.next(&mut out).unwrap() {
            found.push(out.clone());
        }
        found.dedup();
        (found, runs)
    }

    #[test]
    fn what_does_not_fit_into_memory_comes_back_in_order() {
        let keys: Vec<Vec<u8>> = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string().into_bytes()).collect();
        let mut expected = keys.clone();
        expected.sort();
        expected.dedup();
        for (held, least) in [(usize::MAX, 0), (64 * 1024, 4), (600, 500)] {
            let (found, runs) = sorted(&keys, held);
            assert!(runs >= least, "{runs} runs");
            assert!(found == expected, "{held}: {} of {}", found.len(), expected.len());
        }
    }

    #[test]
    fn an_id_larger_than_what_is_read_at_once_and_an_empty_one_survive() {
        let keys = vec![vec![b'x'; 100_000], vec![], b"a".to_vec(), vec![b'x'; 99_999], vec![]];
        let (found, runs) = sorted(&keys, 1_000);
        assert!(runs > 1);
        assert_eq!(found, [vec![], b"a".to_vec(), vec![b'x'; 99_999], vec![b'x'; 100_000]]);
        assert!(sorted(&[], 1).0.is_empty());
    }

    #[test]
    fn memory_does_not_grow_with_what_is_sorted() {
        let mut sorter = Sorter::holding(64 * 1024);
        for n in 0..100_000_u32 {
            sorter.push(n.to_string().as_bytes()).unwrap();
            let taken = sorter.bytes.capacity() + sorter.spans.capacity() * size_of::<(u32, u32)>();
            assert!(taken <= 2 * 64 * 1024, "{taken} bytes after {n} ids");
        }
        let Sorted::Merged { heap, .. } = sorter.finish().unwrap() else { panic!("all of it in memory") };
        let read: usize = heap.iter().map(|head| head.0.run.buffer.capacity()).sum();
        assert!(read <= 2 * READ, "{read} bytes to read {} runs", heap.len());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_lies_on_disk_has_no_name_and_is_nobody_elses() {
        use std::os::unix::fs::MetadataExt;
        let mut sorter = Sorter::holding(100);
        (0..100_u32).for_each(|n| sorter.push(&n.to_be_bytes()).unwrap());
        let about = sorter.runs.file.as_ref().unwrap().metadata().unwrap();
        assert_eq!((about.nlink(), about.mode() & 0o777), (0, 0o600));
    }
}
