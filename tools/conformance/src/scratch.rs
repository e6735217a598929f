//! A copy of the sources under `target`, to be mutated. The work tree itself is never changed, whatever interrupts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy, and the folder where it is built.
pub struct Scratch {
    root: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

impl Scratch {
    /// The scratch copy of a work tree. [`Scratch::restore`] fills it.
    pub fn of(root: &Path) -> Result<Self, String> {
        let folder = root.join("target/mutation");
        let scratch = Self { root: root.to_owned(), tree: folder.join("tree"), target: folder.join("build") };
        fs::create_dir_all(&scratch.tree).map_err(|problem| format!("{}: {problem}", scratch.tree.display()))?;
        Ok(scratch)
    }

    /// Where the copy is.
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// Where it is built: the same place for all mutations, so that each build only does what changed.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the copy equal to the work tree, uncommitted changes included. What is equal stays untouched, since cargo
    /// goes by the time of the last change.
    pub fn restore(&self) -> Result<(), String> {
        let wanted = self.sources()?;
        for path in &wanted {
            let problem = |problem: std::io::Error| format!("{}: {problem}", path.display());
            let (from, to) = (self.root.join(path), self.tree.join(path));
            let content = fs::read(&from).map_err(problem)?;
            if fs::read(&to).is_ok_and(|there| there == content) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap_or(&to)).map_err(problem)?;
            // Not fs::copy, which on some systems copies the old time along.
            fs::write(&to, content).map_err(problem)?;
        }
        self.sweep(&self.tree, &wanted)
    }

    /// Removes files that the work tree no longer has.
    fn sweep(&self, folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), String> {
        let problem = |problem: std::io::Error| format!("{}: {problem}", folder.display());
        for file in fs::read_dir(folder).map_err(problem)? {
            let path = file.map_err(problem)?.path();
            if path.is_dir() {
                self.sweep(&path, wanted)?;
            } else if path.strip_prefix(&self.tree).is_ok_and(|path| !wanted.contains(path)) {
                fs::remove_file(&path).map_err(problem)?;
            }
        }
        Ok(())
    }

    /// All files that git tracks or would, and that are there.
    fn sources(&self) -> Result<BTreeSet<PathBuf>, String> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let output = Command::new("git").args(list).current_dir(&self.root).output();
        let output = output.ok().filter(|output| output.status.success()).ok_or("git ls-files failed")?;
        let paths = String::from_utf8(output.stdout).map_err(|problem| problem.to_string())?;
        let paths = paths.split_terminator('\0').map(PathBuf::from);
        Ok(paths.filter(|path| self.root.join(path).is_file()).collect())
    }
}
