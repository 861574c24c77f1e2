/**
 * A filter as git runs one for many files (`filter.<name>.process`, version 2 of its protocol), for Git LFS: a pointer
 * becomes the content where a store has it, and content becomes a pointer and is put into the first store. What is no
 * pointer, or has its content nowhere, passes as it is. In Perl, which every sandbox has, and without any module.
 *
 * Arguments: the store that is written, others that are read.
 */
export const lfsProgramText = String.raw`use strict;
my ($store, @others) = @ARGV;
my $number = 0;
binmode STDIN;
binmode STDOUT;
sub take {
	my ($wanted) = @_;
	my $bytes = '';
	while (length($bytes) < $wanted) {
		my $got = sysread(STDIN, $bytes, $wanted - length($bytes), length($bytes));
		exit 0 unless $got;
	}
	return $bytes;
}
# A packet, without the line feed of those that are text; undefined for a flush.
sub packet {
	my $length = hex(take(4));
	return undef if $length == 0;
	exit 1 if $length < 4;
	return take($length - 4);
}
sub give {
	my ($bytes) = @_;
	my $at = 0;
	while ($at < length($bytes)) {
		my $put = syswrite(STDOUT, $bytes, length($bytes) - $at, $at);
		exit 1 unless defined $put;
		$at += $put;
	}
}
sub answer { give(join('', map { sprintf('%04x', length($_) + 4) . $_ } @_) . '0000'); }
sub place { my ($oid) = @_; return substr($oid, 0, 2) . '/' . substr($oid, 2, 2) . '/' . $oid; }
sub make { my ($folder) = @_; my $at = ''; for my $part (split m{/}, $folder) { $at .= "$part/"; mkdir($at); } }
# What is sent: its beginning, and a file with all of it where it is longer than that.
sub content {
	my ($beginning, $file, $name, $size) = ('', undef, undef, 0);
	while (defined(my $part = packet())) {
		$size += length($part);
		if (!$file && length($beginning) + length($part) <= 1024) { $beginning .= $part; next; }
		if (!$file) {
			make($store);
			$name = "$store/incoming-$$-" . $number++;
			open($file, '>:raw', $name) or exit 1;
			print {$file} $beginning or exit 1;
		}
		print {$file} $part or exit 1;
	}
	if ($file) { close($file) or exit 1; }
	return ($beginning, $name, $size);
}
sub deliver {
	my ($beginning, $name) = @_;
	answer("status=success\n");
	if (defined $name) {
		open(my $file, '<:raw', $name) or exit 1;
		while (1) {
			my $got = sysread($file, my $part, 65516);
			exit 1 unless defined $got;
			last if $got == 0;
			give(sprintf('%04x', $got + 4) . $part);
		}
		close($file);
		give('0000');
	} else {
		answer(length($beginning) ? ($beginning) : ());
	}
	give('0000');
}
my $pointer = qr{\Aversion https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize ([0-9]{1,15})\n\z};
sub smudge {
	my ($beginning, $name) = @_;
	if (!defined $name && $beginning =~ $pointer) {
		my ($oid, $size) = ($1, $2);
		for my $folder ($store, @others) {
			my $found = "$folder/" . place($oid);
			if (-f $found && !-l $found && -s $found == $size) { deliver('', $found); return; }
		}
	}
	deliver($beginning, $name);
}
sub clean {
	my ($beginning, $name, $size) = @_;
	# Another spelling of a pointer is one, too, and is kept as it is; so is nothing at all.
	if ($size == 0 || (!defined $name && $beginning =~ m{\Aversion https://git-lfs\.github\.com/spec/v1\n})) {
		deliver($beginning, $name);
		return;
	}
	if (!defined $name) {
		make($store);
		$name = "$store/incoming-$$-" . $number++;
		open(my $file, '>:raw', $name) or exit 1;
		print {$file} $beginning or exit 1;
		close($file) or exit 1;
	}
	open(my $sum, '-|', 'sha256sum', '--', $name) or exit 1;
	my $line = <$sum>;
	close($sum) or exit 1;
	$line =~ m{\A\\?([0-9a-f]{64})} or exit 1;
	my $oid = $1;
	my $to = "$store/" . place($oid);
	make("$store/" . substr(place($oid), 0, 5));
	# What has that name has that content.
	link($name, $to) or -f $to or exit 1;
	unlink($name);
	deliver("version https://git-lfs.github.com/spec/v1\noid sha256:$oid\nsize $size\n", undef);
}
# Both say who they are, and what they can.
while (defined(packet())) { }
answer("git-filter-server\n", "version=2\n");
while (defined(packet())) { }
answer("capability=clean\n", "capability=smudge\n");
while (1) {
	my $command = '';
	while (defined(my $line = packet())) { $command = $1 if $line =~ /\Acommand=(\w+)/; }
	my ($beginning, $name, $size) = content();
	if ($command eq 'clean') { clean($beginning, $name, $size); }
	elsif ($command eq 'smudge') { smudge($beginning, $name); }
	else { answer("status=error\n"); }
	unlink($name) if defined $name;
}
`;
