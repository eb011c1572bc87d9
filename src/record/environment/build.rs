//! How this program was built, as found by `build.rs`.

use super::super::Environment;

/// The revision of the sources, with `-dirty` where they differed from it; empty if unknown.
pub const GIT_REVISION: &str = env!("FORKBENCH_GIT_REVISION");

pub fn facts(env: &mut Environment) {
    let target_features = env!("FORKBENCH_TARGET_FEATURES");
    let is_static = target_features.split(',').any(|feature| feature == "crt-static");
    for (name, value) in [
        ("build_git_revision", GIT_REVISION),
        ("build_rustc", env!("FORKBENCH_RUSTC_VERSION")),
        ("build_target", env!("FORKBENCH_TARGET")),
        ("build_profile", env!("FORKBENCH_PROFILE")),
        ("build_opt_level", env!("FORKBENCH_OPT_LEVEL")),
        ("build_target_features", target_features),
    ] {
        let known = match value {
            "" => Err("was not known when this was built".to_owned()),
            value => Ok(value),
        };
        env.record(name, known);
    }
    env.record("build_rustflags", Ok(env!("FORKBENCH_RUSTFLAGS")));
    env.record("build_is_static", Ok(is_static));
    env.record("build_has_debug_assertions", Ok(cfg!(debug_assertions)));
    env.record("build_forkbench_version", Ok(env!("CARGO_PKG_VERSION")));
}
