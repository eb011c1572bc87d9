# What the two commands share: saying why something cannot go on, and getting what is missing.
# Sourced, from the repository's root.
# shellcheck shell=bash

die() {
    printf '%s: %s\n' "$me" "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null
}

# Runs a command as root; fails where that would take a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

refresh_lists() {
    have apt-get || return 1
    as_root true || return 1
    [ "$lists_are_new" = no ] || return 0
    as_root apt-get -qq update || return 1
    lists_are_new=yes
}

# Whether apt-get would install this version of a package, or a later one: `offers nodejs 20`.
offers() {
    local offered
    refresh_lists || return 1
    offered=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: \(.*\)$/\1/p')
    [ -n "$offered" ] && dpkg --compare-versions "$offered" ge "$2" 2>/dev/null
}

# Installs packages where apt-get is and may. The lists of packages are fetched once.
lists_are_new=no
install() {
    refresh_lists || return 1
    printf '%s: installing %s\n' "$me" "$*"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

# rustup puts cargo where only a new login shell finds it.
need_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have cargo || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    have cargo || die "needs Rust $wanted or later, and there is no cargo: install it from" \
        "https://rustup.rs and run this again"
    # The toolchain of rust-toolchain.toml, or the default one where that is not installed.
    if have rustup && ! rustc --version >/dev/null 2>&1; then
        RUSTUP_TOOLCHAIN=$(rustup default | cut -d ' ' -f 1)
        export RUSTUP_TOOLCHAIN
    fi
    found=$(rustc --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
        die "needs Rust $wanted or later, and this is $found: run \`rustup update\`"
}

links_statically() {
    printf 'int main(void) { return 0; }\n' | cc -static -x c -o /dev/null - 2>/dev/null
}

# Some dependencies are C, and both programs are linked statically, which takes libc.a.
need_c() {
    links_statically || install gcc libc6-dev || true
    have cc || die "needs a C compiler, and there is no cc: install gcc and the C library's" \
        "development files (Debian, Ubuntu: apt-get install gcc libc6-dev)"
    links_statically || die "cc cannot link a static program: install the static C library" \
        "(Debian, Ubuntu: apt-get install libc6-dev; Fedora: dnf install glibc-static)"
}
