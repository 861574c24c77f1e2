# Untested. For nix on another distribution: callPackage ./package.nix {} from a checkout.
{
  lib,
  buildNpmPackage,
  installShellFiles,
  makeWrapper,
  nodejs_22,
}:
buildNpmPackage {
  pname = "command-fleet";
  version = "0.1.0";
  src = ../..;
  nodejs = nodejs_22;
  # prefetch-npm-deps package-lock.json says it.
  npmDepsHash = lib.fakeHash;
  npmFlags = [ "--ignore-scripts" ];
  nativeBuildInputs = [
    installShellFiles
    makeWrapper
  ];
  postInstall = ''
    wrapProgram $out/bin/fleet --suffix PATH : ${lib.makeBinPath [ nodejs_22 ]}
    installManPage dist/fleet.1
    installShellCompletion --bash dist/fleet.bash --zsh dist/_fleet --fish dist/fleet.fish
  '';
  meta = {
    description = "Run a fleet of AI coding agents under least privilege, from one terminal screen";
    license = lib.licenses.mit;
    mainProgram = "fleet";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
