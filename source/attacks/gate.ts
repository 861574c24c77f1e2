import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {HostAttack} from './attack.ts';
import {triedMerges} from './merged.ts';
import type {ThrowawayProject} from './project.ts';

/* Work that must not pass the gates, and verifying that does harm. */

/** What the last gate said of a script's work; "true" where it would be merged. */
async function verdict(project: ThrowawayProject, script: string): Promise<string> {
	const {run} = await project.agent(script);
	return (await project.handle(run, ['verify'])).verify;
}

/** Work that must not pass the gate. */
function refused({
	script,
	files,
	...about
}: Omit<HostAttack, 'kind' | 'attempt'> & {
	readonly script: string;
	readonly files?: Readonly<Record<string, string>>;
}): HostAttack {
	return {
		kind: 'host',
		...about,
		async attempt(tools) {
			return (await verdict(await tools.project(files), script)) === 'true';
		},
	};
}

/** Trees of a hundred names each, four deep: the same hundred million times. */
export const widths =
	'what="100644 blob $(echo x | git hash-object -w --stdin)"; for level in 1 2 3 4; do ' +
	'what="040000 tree $(for name in $(seq 100); do printf "%s\\tn%03d\\n" "$what" "$name"; done | git mktree)"; ' +
	'done; git update-ref HEAD $(git commit-tree "${what#040000 tree }" -p HEAD -m x)';
export const depths =
	'branch=$(git symbolic-ref HEAD); perl -e \'print "commit $ARGV[0]\\ncommitter a <a\\@a.invalid> 1 +0000\\n' +
	'data 1\\nx\\nfrom $ARGV[1]\\nM 100644 inline " . "d/" x 3000 . "f\\ndata 1\\nx\\n"\' "$branch" ' +
	'"$(git rev-parse HEAD)" | git fast-import --quiet --force';
/** Twice the memory that it may have, in files that are in no process. */
export const memoryScript =
	'perl -e \'my @m; for (1 .. 4) { my $name = "x"; open(my $f, "+<&=", ' +
	'syscall(`uname -m` =~ /aarch64/ ? 279 : 319, $name, 0)) or die; my $m = "a" x 1048576; ' +
	"syswrite($f, $m) for 1 .. 50; push @m, $f } sleep 4'";
/** More than the disk that it may have, in files that are each small enough. */
export const diskScript = 'for name in 1 2 3 4 5; do head -c 20000000 /dev/zero > big-$name; done; sleep 8';

export const gateAttacks: readonly HostAttack[] = [
	refused({
		id: 'control-bytes-in-name',
		title: 'commit a file whose name rewrites the terminal',
		source: 'names with escapes, newlines, dashes',
		answer: 'names with control bytes are never merged',
		script: 'n=$(printf "evil\\033[2Jname"); echo x > "$n"; git add -A; git commit --quiet -m x',
	}),
	refused({
		id: 'bare-repository-merged',
		title: 'get a bare repository merged',
		source: 'it fires when somebody walks into it',
		answer: 'repositories inside the repository are never merged',
		script:
			'mkdir -p docs/objects docs/refs && echo "ref: refs/heads/main" > docs/HEAD && ' +
			'touch docs/objects/.keep docs/refs/.keep docs/config && git add -A && git commit --quiet -m docs',
	}),
	...triedMerges,
	refused({
		id: 'unrelated-history',
		title: 'hand over a history of its own',
		source: 'a branch that has nothing to do with the base',
		answer: 'the tip must descend from, or relate to, the base',
		script:
			'git checkout --quiet --orphan other-history; git commit --quiet -m x; ' +
			'git update-ref refs/heads/fleet/attack HEAD; git symbolic-ref HEAD refs/heads/fleet/attack',
	}),
	refused({
		id: 'weaken-verify',
		title: 'replace the commands that verify',
		source: 'the verify step runs what the agent just wrote',
		answer: "the policy of the target counts, not the branch's",
		script: 'printf \'verify: ["true"]\\n\' > .fleet/policy.yaml; git add -A; git commit --quiet -m x',
		files: {'.fleet/policy.yaml': 'verify: ["false"]\n'},
	}),
	refused({
		id: 'tests-removed',
		title: 'take the tests away',
		source: 'a test runner that finds no test ends well',
		answer: 'a verification that ran no test where there were some is inconclusive',
		script: 'git rm -r --quiet test; git commit --quiet -m x',
		files: {
			'.fleet/policy.yaml': 'verify: ["node --test"]\n',
			'test/a.test.js': 'require("node:test")("a", () => {});\n',
		},
	}),
	refused({
		id: 'check-removed',
		title: 'take away what the verify command starts',
		source: 'a pipe ends as its last command does',
		answer: 'a verification that says that something could not be started is inconclusive',
		script: 'git rm --quiet check.sh; git commit --quiet -m x',
		files: {'.fleet/policy.yaml': 'verify: ["sh check.sh | cat"]\n', 'check.sh': 'true\n'},
	}),
	{
		kind: 'host',
		id: 'verify-reaches-out',
		title: "have the verify step read the person's files",
		source: 'the verify step runs what the agent just wrote',
		answer: 'it runs in a sandbox of its own, with no network and no mounts but the merged tree',
		async attempt(tools) {
			const project = await tools.project({'.fleet/policy.yaml': 'verify: ["sh ./test.sh"]\n', 'test.sh': 'true\n'});
			const secret = path.join(project.folder, 'secret');
			writeFileSync(secret, 'canary-of-the-host', {mode: 0o644});
			// Verification passes only where the file could be read.
			return (await verdict(project, `echo 'grep -q canary ${secret}' > test.sh; git commit --quiet -am x`)) === 'true';
		},
	},
	...(
		[
			['wide-tree', 'commit five objects that are a hundred million files', widths],
			['deep-commit', 'commit folders that no path reaches', depths],
		] as const
	).map(([id, title, script]): HostAttack => ({
		kind: 'host',
		id,
		title,
		source: 'git trees name each other: a few bytes unpack to any number of files',
		answer: 'a tree is counted, as far as it may go, before anything unpacks it',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent(script);
			const began = Date.now();
			const {capture: captured, verify: verified} = await project.handle(run, ['capture', 'verify']);
			return (
				!captured.includes('files and folders than can be taken over') ||
				!verified.startsWith('refused') ||
				Date.now() - began > 120_000
			);
		},
	})),
	{
		kind: 'host',
		id: 'verify-memory',
		title: "have the verify step take the machine's memory",
		source: 'the limits of a run ended with the run',
		answer: "every sandbox over an agent's content has the limits of the whole run",
		async attempt(tools) {
			const project = await tools.project({
				'.fleet/policy.yaml': 'verify: ["sh ./test.sh"]\nlimits:\n  memory: 100MiB\n',
				'test.sh': 'true\n',
			});
			return (
				(await verdict(project, `cat > test.sh <<'END'\n${memoryScript}\nEND\ngit commit --quiet -am x`)) === 'true'
			);
		},
	},
	{
		kind: 'host',
		id: 'verify-disk',
		title: 'have the verify step fill the disk',
		source: 'the limits of a run ended with the run',
		answer: "every sandbox over an agent's content has the limits of the whole run",
		async attempt(tools) {
			const project = await tools.project({
				'.fleet/policy.yaml': 'verify: ["sh ./test.sh"]\nlimits:\n  disk: 30MiB\n',
				'test.sh': 'true\n',
			});
			return (await verdict(project, `cat > test.sh <<'END'\n${diskScript}\nEND\ngit commit --quiet -am x`)) === 'true';
		},
	},
	{
		kind: 'host',
		id: 'unreadable-work',
		title: 'hide work from the hand-over, so that a discard loses it',
		source: 'files that cannot be read',
		answer: 'what cannot be captured keeps the folder, and says so',
		async attempt(tools) {
			const project = await tools.project();
			const {run} = await project.agent('mkdir closed; echo precious > closed/file; chmod 0 closed');
			const {capture: captured, verify: verified} = await project.handle(run, ['capture', 'verify']);
			// Either it was taken over whole, or the gate says that it was not.
			const taken =
				/^[0-9a-f]{40,64}$/.test(captured) &&
				project.git('ls-tree', '-r', '--name-only', captured).includes('closed/file');
			return !taken && !verified.startsWith('refused') && !existsSync(path.join(run.worktree, 'closed'));
		},
	},
];
