//! What is shipped to run it: the sample CronJob in a root that cannot be written, as the user it names, and the unit of systemd.

use crate::support::sandbox::Ended;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn sample() -> String {
    std::fs::read_to_string(format!("{ROOT}/deploy/cronjob.yaml")).expect("the sample")
}

/// Its objects: the volume's claim, and the CronJob.
fn objects() -> [Value; 2] {
    let sample = sample();
    let mut read = sample.split("\n---\n").map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}")));
    [read.next().expect("the claim"), read.next().expect("the CronJob")]
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_sample_cronjob_names_its_job_once_and_retries_for_longer_than_a_restart_takes() {
    let [claim, cron] = objects();
    let (job, pod) = (&cron["spec"]["jobTemplate"]["spec"], &cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]);
    let container = &pod["containers"][0];
    let name = cron["metadata"]["name"].as_str().expect("a name");
    assert_eq!(texts(&container["args"]), ["--log=json", "run-job", name]);
    assert_eq!(sample().lines().filter(|line| !line.starts_with('#') && line.contains(name)).count(), 1, "one place to edit");
    // It is a job of this repository, and due when that says.
    let declared: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(format!("{ROOT}/jobs/{name}.yaml")).expect("the job")).expect("YAML");
    assert_eq!((&cron["spec"]["schedule"], &cron["spec"]["timeZone"]), (&declared["schedule"], &declared["timezone"]));
    // Kubernetes doubles the pause from ten seconds on, up to six minutes.
    let tries = job["backoffLimit"].as_u64().expect("a number");
    let waited: u64 = (0..tries).map(|at| (10 << at.min(10)).min(360)).sum();
    assert!(waited > 30 * 60, "{waited} s");
    let only_75 = serde_json::json!({ "containerName": "steward", "operator": "NotIn", "values": [75] });
    assert!(
        job["podFailurePolicy"]["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .any(|rule| rule["action"] == "FailJob" && rule["onExitCodes"] == only_75)
    );
    assert_eq!((&pod["restartPolicy"], &container["name"]), (&"Never".into(), &"steward".into()));
    // What it mounts is there, and nothing is mounted below what cannot be written.
    let mounts = container["volumeMounts"].as_array().expect("mounts");
    for mount in mounts {
        let volume = pod["volumes"].as_array().expect("volumes").iter().find(|volume| volume["name"] == mount["name"]);
        let volume = volume.unwrap_or_else(|| panic!("no volume {mount}"));
        match (volume["configMap"]["name"].as_str(), volume["persistentVolumeClaim"]["claimName"].as_str()) {
            (Some(map), _) => assert!(sample().contains(&format!("kubectl create configmap {map} --from-file=")), "{map}"),
            (_, Some(claimed)) => assert_eq!(claim["metadata"]["name"], claimed),
            _ => assert!(volume["emptyDir"].is_object(), "{volume}"),
        }
        let path = mount["mountPath"].as_str().expect("a path");
        let above = mounts.iter().filter(|other| other["subPath"].is_null() && *other != mount);
        for other in above.filter_map(|other| other["mountPath"].as_str()) {
            assert!(!path.starts_with(&format!("{other}/")), "{path} below {other}");
        }
    }
    assert!(sample().contains("kubectl create secret generic steward --from-literal=PLATFORM_PASSWORD="));
}

/// Lays a ConfigMap out as the kubelet does: links to a folder that is replaced as a whole.
fn config_map(folder: &Path, files: &[PathBuf]) {
    let data = folder.join("..2026_11_30");
    std::fs::create_dir_all(&data).expect("a folder");
    std::os::unix::fs::symlink("..2026_11_30", folder.join("..data")).expect("a link");
    for file in files {
        let name = file.file_name().expect("a name");
        let text = std::fs::read_to_string(file).expect("a file").replace("@127.0.0.1/", "@127.0.0.1:1/");
        std::fs::write(data.join(name), text).expect("a file");
        std::os::unix::fs::symlink(Path::new("..data").join(name), folder.join(name)).expect("a link");
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    std::fs::read_dir(format!("{ROOT}/{folder}")).expect("a folder").map(|entry| entry.expect("a file").path()).collect()
}

/// Runs the container's command where nothing but its volumes can be written, as its user, with this variable for a secret. None where
/// the system does not let us build such a place.
fn in_the_pod(more_config: &str, secret: &str) -> Option<Ended> {
    let [_, cron] = objects();
    let pod = &cron["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let (container, user) = (&pod["containers"][0], &pod["securityContext"]["runAsUser"]);
    let dir = tempfile::tempdir().expect("a folder");
    let maps = |name: &str| dir.path().join(name);
    config_map(&maps("steward"), &[format!("{ROOT}/steward.yaml").into()]);
    config_map(&maps("steward-policies"), &files("policies"));
    config_map(&maps("steward-jobs"), &files("jobs"));
    let config = maps("steward").join("..2026_11_30/steward.yaml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let text = if more_config.is_empty() { text } else { text.replace("ledger: ", "# ledger: ") + more_config };
    std::fs::write(&config, text).expect("the configuration");

    let mut script = format!(
        "mount --make-rprivate /; mkdir {0}/root; mount --bind / {0}/root; mount -t tmpfs none {0}/root/etc; mkdir {0}/root/etc/steward; cp {1} {0}/root/etc/binary; chmod 755 {0}/root/etc/binary; ",
        dir.path().display(),
        env!("CARGO_BIN_EXE_steward")
    );
    let root = dir.path().join("root").display().to_string();
    let volumes = pod["volumes"].as_array().expect("volumes");
    for mount in container["volumeMounts"].as_array().expect("mounts") {
        let path = format!("{root}{}", mount["mountPath"].as_str().expect("a path"));
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("a volume");
        script += &match (volume["configMap"]["name"].as_str(), mount["subPath"].as_str()) {
            (Some(map), Some(file)) => format!("touch {path}; mount --bind {}/{file} {path}; ", maps(map).display()),
            (Some(map), None) => format!("mkdir -p {path}; mount --bind {} {path}; ", maps(map).display()),
            // A volume that belongs to root, and to the group that `fsGroup` names.
            _ => format!("mkdir -p {path}; mount -t tmpfs -o mode=2775,gid={} none {path}; ", pod["securityContext"]["fsGroup"]),
        };
    }
    script += &format!("mount -o remount,bind,ro {root}; mount -o remount,ro {root}/etc; ");
    let args = texts(&container["args"]).join(" ");
    script += &format!(
        "if touch {root}/etc/probe {root}/usr/probe 2>/dev/null; then echo it can be written; exit 9; fi; cd {root}; exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin STEWARD_CONFIG={} KUBERNETES_SERVICE_HOST=10.0.0.1 {secret} chroot --userspec={user}:{user} {root} /etc/binary {args}",
        container["env"][0]["value"].as_str().expect("a path")
    );
    let ended: Ended = Command::new("unshare").args(["--mount", "sh", "-ec", &script]).output().ok()?.into();
    if ended.stderr.contains("unshare:") || ended.stderr.contains("mount:") {
        eprintln!("not run: no root of one's own can be mounted here: {ended}");
        return None;
    }
    Some(ended)
}

#[test]
fn the_pods_command_runs_in_a_root_that_cannot_be_written_with_the_one_secret_of_its_job() {
    let Some(ended) = in_the_pod("", "PLATFORM_PASSWORD=x") else { return };
    // Nobody answers at the sample's address: all that was asked for is there but the database, and Kubernetes tries again.
    assert_eq!(ended.code, Some(75), "{ended}");
    assert!(
        ended.stdout.contains("store `platform` is away") && ended.stdout.contains("report /etc/steward/state/reports/"),
        "{ended}"
    );
    let last: Value = serde_json::from_str(ended.stderr.lines().last().expect("a line")).expect("an object");
    assert_eq!((&last["outcome"], &last["exit"]), (&"temporary".into(), &75.into()), "{ended}");

    let without = in_the_pod("", "CORE_PASSWORD=x").expect("it ran before");
    assert!(without.code == Some(78) && without.stdout.contains("PLATFORM_PASSWORD"), "{without}");
    let misplaced = in_the_pod("ledger: \"sqlite:elsewhere/steward.db\"\n", "PLATFORM_PASSWORD=x").expect("it ran before");
    assert!(misplaced.code == Some(78) && misplaced.stderr.contains("cannot be made there"), "{misplaced}");
}

#[test]
fn the_unit_is_one_that_systemd_takes_without_a_word() {
    let unit = std::fs::read_to_string(format!("{ROOT}/deploy/steward.service")).expect("the unit");
    assert!(unit.contains("\nExecReload=/bin/sh -c 'kill -HUP ${MAINPID}'\n"));
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("steward.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/steward", env!("CARGO_BIN_EXE_steward"))).expect("the unit");
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output() {
        Ok(told) => assert!(told.status.success() && told.stderr.is_empty(), "{}", Ended::from(told)),
        Err(error) => eprintln!("not run: systemd-analyze: {error}"),
    }
}
