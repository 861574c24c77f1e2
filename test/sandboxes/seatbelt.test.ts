import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defaultLimits, type SandboxPlan} from '../../source/core/plan.ts';
import {seatbeltProfile} from '../../source/sandboxes/seatbelt/compile.ts';
import {seatbelt} from '../../source/sandboxes/seatbelt/index.ts';

const plan: SandboxPlan = {
	runId: 'r',
	links: [],
	env: {},
	cwd: '/w',
	limits: defaultLimits,
	dropUid: 7,
	architecture: 'arm64',
	mounts: [
		{source: '/usr', target: '/usr', mode: 'read', system: true},
		{source: '/w', target: '/w', mode: 'write'},
		{source: '/w/.git', target: '/w/.git', mode: 'read'},
		{source: '/data "x"', target: '/data "x"', mode: 'read'},
	],
	scratch: [{target: '/private/tmp/fleet-r', size: 10}],
};

test('the whole profile', () => {
	assert.equal(
		seatbeltProfile(plan, 'proxy'),
		`(version 1)
(deny default)
(allow process-exec)
(allow process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo") (global-name "com.apple.system.logger"))
(allow file-read-metadata (literal "/") (literal "/private") (literal "/private/var") (literal "/private/tmp") (literal "/var") (literal "/tmp") (literal "/etc") (literal "/dev"))
(allow file-read* (subpath "/usr") (subpath "/bin") (subpath "/sbin") (subpath "/System") (subpath "/Library/Frameworks") (subpath "/Library/Developer") (subpath "/private/var/db/timezone") (subpath "/private/etc/ssl") (subpath "/opt/homebrew") (subpath "/w") (subpath "/w/.git") (subpath "/data \\"x\\""))
(allow file-read* file-write* (subpath "/w") (subpath "/private/tmp/fleet-r"))
(deny file-write* (subpath "/w/.git"))
(allow file-read* file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/random") (literal "/dev/urandom") (regex #"^/dev/ttys[0-9]+$") (regex #"^/dev/fd/"))
(deny file-write-setugid)
(allow network-outbound (remote ip "localhost:3128"))
(deny system-privilege)
`,
	);
	assert.doesNotMatch(seatbeltProfile(plan, 'alone'), /network/);
});

test("nothing of a path is the profile's language", () => {
	const nasty = '/x") (allow default) ("\\';
	const profile = seatbeltProfile({...plan, mounts: [{source: nasty, target: nasty, mode: 'write'}]}, 'alone');
	assert.ok(profile.includes('(subpath "/x\\") (allow default) (\\"\\\\")'));
	assert.equal(profile.split('\n').filter(line => line.startsWith('(allow default')).length, 0);
});

test('what cannot be said is an error, and it is not offered', async () => {
	assert.throws(
		() => seatbeltProfile({...plan, mounts: [{source: '/a', target: '/b', mode: 'read'}]}, 'alone'),
		/moves nothing/,
	);
	assert.equal((await seatbelt.probe()).works, false);
	assert.throws(() => seatbelt.prepare(plan, '/x'));
});
