//! A run of `pintle` that the test watches and disturbs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::limit::EMERGENCY;
use super::shop::Printed;

pub(crate) struct Running {
    child: Child,
    err: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    out: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![read(child.stdout.take().unwrap(), &out), read(child.stderr.take().unwrap(), &err)];
        Self { child, err, readers, out }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line on stderr contains all of these.
    pub(crate) async fn says(&mut self, parts: &[&str]) {
        self.shows(Arc::clone(&self.err), parts).await;
    }

    /// Waits until a line on stdout contains all of these.
    pub(crate) async fn prints(&mut self, parts: &[&str]) {
        self.shows(Arc::clone(&self.out), parts).await;
    }

    async fn shows(&mut self, stream: Arc<Mutex<String>>, parts: &[&str]) {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            let text = stream.lock().unwrap().clone();
            if text.lines().any(|line| parts.iter().all(|part| line.contains(part))) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "no line with {parts:?} in\n{text}\n{ended:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether it has ended, or was killed.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Types Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    /// As a supervisor ends it.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -s {name} {}", self.pid())]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, and gives its exit code; none where it was killed.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end; it says\n{}", self.err.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Printed {
        let code = self.ended().await;
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        let take = |text: &Mutex<String>| std::mem::take(&mut *text.lock().unwrap());
        Printed { out: take(&self.out), err: take(&self.err), code }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or a test has failed while it ran.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stream: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let mut text = into.lock().unwrap();
            text.push_str(&line.unwrap());
            text.push('\n');
        }
    })
}
