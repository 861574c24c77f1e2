# Untested. Takes the file that `npm pack` makes, beside this one.
class CommandFleet < Formula
  desc "Run a fleet of AI coding agents under least privilege"
  url "file://#{File.expand_path("command-fleet-0.1.0.tgz", __dir__)}"
  license "MIT"

  depends_on "bubblewrap"
  depends_on :linux
  depends_on "node"

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec/"bin/fleet"
    dist = libexec/"lib/node_modules/command-fleet/dist"
    man1.install_symlink dist/"fleet.1"
    bash_completion.install_symlink dist/"fleet.bash" => "fleet"
    zsh_completion.install_symlink dist/"_fleet"
    fish_completion.install_symlink dist/"fleet.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/fleet --version")
  end
end
