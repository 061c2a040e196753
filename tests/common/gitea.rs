//! A real forge for tests: Gitea over https, one for the whole run, with one user. Its name is `gitea.test`, and a proxy leads
//! there. Tests keep apart by repositories.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Certificate, Proxy, StatusCode};
use serde_json::{Value, json};

use super::folder::Folder;
use super::git::text;
use super::limit::EMERGENCY;
use super::server::{Server, programs};
use super::tunnel::tunnel;

/// The user of the forge, and the name of the API's and of git's.
pub(crate) const USER: &str = "ada";
const PASSWORD: &str = "correct-horse";

/// What is its own: nothing of it asks another host, and commits of a test are not waited for by the disk.
const SETTINGS: &str = "
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {folder}
[server]
PROTOCOL = https
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = https://gitea.test/
CERT_FILE = {folder}/cert.pem
KEY_FILE = {folder}/key.pem
STATIC_ROOT_PATH = {programs}/static
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
SQLITE_JOURNAL_MODE = OFF
[git.config]
core.fsync = none
[security]
INSTALL_LOCK = true
SECRET_KEY = nobody
PASSWORD_HASH_ALGO = pbkdf2_v1
[log]
LEVEL = warn
";

pub(crate) struct Gitea {
    // Dropped in this order: the server dies before its folder goes.
    _server: Server,
    folder: Folder,
    proxy: String,
    token: String,
    client: Client,
}

impl Gitea {
    /// The forge of the whole test run, started by the first test that asks.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Gitea, String>> = OnceLock::new();
        SHARED.get_or_init(start_anywhere).as_ref().unwrap_or_else(|why| panic!("{why}"))
    }

    /// What a program of the system must know to reach it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        let certificate = self.folder.path().join("cert.pem").to_str().unwrap().to_owned();
        [("https_proxy", self.proxy.clone()), ("GIT_SSL_CAINFO", certificate.clone()), ("SSL_CERT_FILE", certificate)]
    }

    /// A credential helper of git's that knows the token.
    pub(crate) fn helper(&self) -> String {
        format!("!printf 'username={USER}\\npassword={}\\n'; :", self.token)
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A private repository without a commit; its URL.
    pub(crate) fn repository(&self, name: &str) -> String {
        self.post("user/repos", &json!({"name": name, "private": true, "default_branch": "main"}));
        format!("https://gitea.test/{USER}/{name}.git")
    }

    /// Tells the API; what it is still busy with is told again.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + EMERGENCY;
        loop {
            let request = self.client.post(format!("https://gitea.test/api/v1/{path}")).body(body.to_string());
            let request = request.header("Content-Type", "application/json");
            let answer = request.header("Authorization", format!("token {}", self.token)).send().unwrap();
            let (status, text) = (answer.status(), answer.text().unwrap());
            if text.contains("Please try again later") && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            assert!(status.is_success(), "{path}: {status}: {text}");
            return if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        }
    }

    /// What a page shows to the user, who logs in for it with name and password.
    pub(crate) fn page(&self, url: &str) -> String {
        let login = self.client.post("https://gitea.test/user/login");
        let login = login.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = login.body(format!("user_name={USER}&password={PASSWORD}")).send().unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let mut set = answer.headers().get_all(SET_COOKIE).iter().map(|set| set.to_str().unwrap());
        // Whoever logs in has a session before, and another one from then on.
        let session = set.rfind(|set| set.starts_with("i_like_gitea=")).and_then(|set| set.split(';').next());
        let answer = self.client.get(url).header(COOKIE, session.unwrap()).send().unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        answer.text().unwrap()
    }
}

/// Starts it from any thread, async or not: its client has a runtime of its own.
fn start_anywhere() -> Result<Gitea, String> {
    let started = std::thread::spawn(|| {
        // The port was free when it was chosen; another program may have taken it since.
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match start() {
                Err(why) if attempts > 0 && why.contains("address already in use") => {}
                result => return result,
            }
        }
    });
    started.join().map_err(|_| "starting Gitea panicked, see above".to_owned())?
}

fn start() -> Result<Gitea, String> {
    let programs = programs("gitea")?;
    let folder = Folder::new("pintle-test-forge-");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap().port();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let settings = SETTINGS.replace("{folder}", &path(folder.path())).replace("{programs}", &path(&programs));
    std::fs::write(folder.path().join("app.ini"), settings.replace("{port}", &port.to_string())).unwrap();

    let program = programs.join("gitea");
    run(&program, folder.path(), &["cert", "--host", "gitea.test", "--ecdsa-curve", "P256"]);
    let mut server = Server::start(&program, folder.path(), &format!("web --config {}/app.ini", path(folder.path())));
    let (proxy, deadline) = (tunnel(port), Instant::now() + EMERGENCY);
    let client = client(folder.path(), &proxy);
    let answers = || client.get("https://gitea.test/api/healthz").send().is_ok_and(|it| it.status().is_success());
    while !answers() {
        server.may_still_come("answers", deadline)?;
        std::thread::sleep(Duration::from_millis(50));
    }
    let token = create_user(&program, folder.path());
    Ok(Gitea { _server: server, folder, proxy, token, client })
}

/// One that follows nowhere.
fn client(folder: &Path, proxy: &str) -> Client {
    // One for the whole process; where there is one already, that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = Certificate::from_pem(&std::fs::read(folder.join("cert.pem")).unwrap()).unwrap();
    let client = Client::builder().add_root_certificate(trusted).proxy(Proxy::https(proxy).unwrap());
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Creates the user, and gives a token with every right of theirs.
fn create_user(program: &Path, folder: &Path) -> String {
    let who = ["--username", USER, "--password", PASSWORD, "--email", "ada@example.com", "--admin"];
    let how = ["--must-change-password=false", "--access-token", "--access-token-scopes", "all"];
    let said = run(program, folder, &[&["admin", "user", "create"][..], &who, &how].concat());
    let is_token = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let token = said.split_whitespace().find(is_token).map(str::to_owned);
    token.unwrap_or_else(|| panic!("no token in {said}"))
}

/// Runs one of its commands, and gives what that prints.
fn run(program: &Path, folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).arg("--config").arg(folder.join("app.ini"));
    text(command.current_dir(folder).output().unwrap())
}
