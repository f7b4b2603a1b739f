//! `cargo xtask package-extension`: the package that a guest agent installs.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use contract::guest_agent::handler::HandlerManifest;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::process::{is_there, output, run, say, target_directory};

/// What the extension is called, as in the original.
const NAME: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux";
/// The program in the package.
const PROGRAM: &str = "bin/symbolon-guest";
/// The most that the program may take on the disk of a VM, in bytes.
const MAX_PROGRAM: usize = 6_000_000;

/// What is packaged.
#[derive(Args)]
pub(crate) struct PackageArgs {
    /// The version of the package, four numbers
    #[arg(long, default_value = "1.0.0.0")]
    version: String,
    /// Where the package goes [default: packages in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the program is built
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
}

/// How the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// Small, and linked so that it runs on any Linux
    Release,
    /// As tests build it, for tests on this machine
    Dev,
}

pub(crate) fn package(args: &PackageArgs) -> Result<()> {
    check_version(&args.version)?;
    let target = target_directory()?;
    let program = match args.profile {
        Profile::Release => build_static(&target)?,
        Profile::Dev => build_dev(&target)?,
    };
    let out = args.out.clone().unwrap_or_else(|| target.join("packages"));
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let path = out.join(format!("{NAME}-{}.zip", args.version));
    let bytes = fs::read(&program).with_context(|| format!("{} can't be read", program.display()))?;
    if args.profile == Profile::Release {
        check_size(bytes.len())?;
    }
    let manifest = HandlerManifest::of_program(PROGRAM).text();
    let package = pack(&[("HandlerManifest.json", manifest.as_bytes(), 0o644), (PROGRAM, &bytes, 0o755)])?;
    // Beside it first: whoever looks finds a whole package.
    let new = path.with_extension("zip.new");
    let mut file = File::create(&new).with_context(|| format!("{} can't be written", new.display()))?;
    file.write_all(&package).and_then(|()| fs::rename(&new, &path)).context("the package can't be written")?;
    say(&format!("symbolon-guest: {} bytes; {}: {} bytes", bytes.len(), path.display(), package.len()));
    Ok(())
}

/// A program that needs nothing of the machine it runs on, not even a library.
fn build_static(target: &Path) -> Result<PathBuf> {
    let triple = host()?;
    // Addresses that are filled in at the start take a twentieth of the room when they are packed.
    let flags = "\"-Ctarget-feature=+crt-static\", \"-Clink-arg=-Wl,-z,pack-relative-relocs\"";
    let flags = format!("target.{triple}.rustflags=[{flags}]");
    // Nothing unwinds through the C of the crypto library, whose tables for it would be 80 kB.
    let c_flags = "env.AWS_LC_SYS_CFLAGS=\"-fno-asynchronous-unwind-tables\"";
    let program = ["--package", "symbolon-guest", "--bin", "symbolon-guest", "--features", "symbolon-guest/package"];
    let args = [&["build", "--locked", "--profile", "guest"][..], &program].concat();
    // With a target named the flags aren't for what is built to run while building.
    run("cargo", &[&args[..], &["--target", &triple, "--config", &flags, "--config", c_flags]].concat())?;
    Ok(target.join(triple).join("guest/symbolon-guest"))
}

/// The program of the tests, without what debuggers need, which is most of it.
fn build_dev(target: &Path) -> Result<PathBuf> {
    run("cargo", &["build", "--locked", "--package", "symbolon-guest", "--bin", "symbolon-guest"])?;
    let program = target.join("debug/symbolon-guest");
    if !is_there("strip", &["--version"]) {
        say("strip isn't there, so the package is large");
        return Ok(program);
    }
    let stripped = target.join("debug/symbolon-guest.stripped");
    let paths = [&stripped, &program].map(|path| path.display().to_string());
    let [to, from] = &paths;
    run("strip", &["-o", to, from])?;
    Ok(stripped)
}

/// The triple of this machine.
fn host() -> Result<String> {
    let told = output("rustc", &["-vV"])?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc doesn't say what machine this is")?.to_owned())
}

fn check_version(version: &str) -> Result<()> {
    let numbers: Vec<_> = version.split('.').map(|part| part.parse::<u32>().map(|number| number.to_string())).collect();
    let sound = numbers.len() == 4
        && numbers
            .iter()
            .zip(version.split('.'))
            .all(|(number, part)| number.as_ref().is_ok_and(|number| number == part));
    if sound { Ok(()) } else { bail!("'{version}' is not a version: give four numbers, as in 1.0.0.0") }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_PROGRAM {
        return Ok(());
    }
    bail!("symbolon-guest has {bytes} bytes, and no more than {MAX_PROGRAM} may go to every VM: see what has grown")
}

/// A zip file with these files. The same files give the same bytes.
fn pack(files: &[(&str, &[u8], u32)]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes, mode) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(*mode);
        zip.start_file(*name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_same_files_give_the_same_package() {
        let files: [(&str, &[u8], u32); 2] = [("HandlerManifest.json", b"[]", 0o644), ("bin/x", &[7; 9_000], 0o755)];
        let package = pack(&files).unwrap();
        assert_eq!(package, pack(&files).unwrap());
        assert!(package.len() < 1_000);
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package)).unwrap();
        let mut program = archive.by_name("bin/x").unwrap();
        assert_eq!(program.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut bytes = Vec::new();
        program.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [7; 9_000]);
    }

    #[test]
    fn a_program_that_has_grown_is_not_packaged() {
        check_size(MAX_PROGRAM).unwrap();
        let why = check_size(MAX_PROGRAM + 1).unwrap_err().to_string();
        assert!(why.contains("6000001 bytes") && why.contains("6000000"), "{why}");
    }

    #[test]
    fn a_version_has_four_numbers() {
        check_version("1.0.0.0").unwrap();
        check_version("10.20.30.4").unwrap();
        for wrong in ["", "1", "1.0.0", "1.0.0.0.0", "1.0.0.x", "1.0.0.01", "../1.0.0", "1.0.0.-1", "1.0.0.+1"] {
            assert!(check_version(wrong).is_err(), "{wrong}");
        }
    }
}
