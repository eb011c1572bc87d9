//! Where the subject's program begins.

/// Makes `$main` (from the stamp of the start to the exit code) a program's entry point, past the
/// standard library's own. That one looks at the standard descriptors, asks the kernel for the
/// stack's place by reading `/proc/self/maps`, and makes a second stack to report overflows on:
/// a dozen page faults and twenty system calls that a child started per request has no use for.
/// What it does that is needed stays: broken pipes are errors, and a panic ends with code 101.
///
/// The program has to say `#![no_main]`.
#[macro_export]
macro_rules! entry_point {
    ($main:path) => {
        // SAFETY: `main` is the name that the C library calls, with this signature, and nothing
        // else in a program of Rust that says `no_main` defines it.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(_: ::std::ffi::c_int, _: *const *const ::std::ffi::c_char) -> i32 {
            let started_ns = $crate::sys::clock::now_ns();
            $crate::sys::process::ignore_broken_pipes();
            // Nothing is looked at after a panic.
            ::std::panic::catch_unwind(|| $main(started_ns)).unwrap_or(101)
        }
    };
}
