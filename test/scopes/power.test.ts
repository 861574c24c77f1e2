import assert from 'node:assert/strict';
import {test} from 'node:test';
import {aliasesOf, mountOf, parseMounts} from '../../source/host/mounts.ts';
import {powerOf, type Guarded} from '../../source/scopes/files/power.ts';

/* What is never granted as files, as a table. */

const guarded: Guarded[] = [
	{place: '/srv/fleet', against: 'any', what: "fleet's own"},
	{place: '/home/ada/projects/app/.git', against: 'inside', what: 'git'},
	{place: '/srv/bare.git', against: 'inside', what: 'git'},
	{place: '/home/ada/tools/bin', against: 'write', what: 'programs'},
	{place: '/', against: 'any', what: 'nonsense'},
];
const facts = {homes: ['/home/ada', '/root', '/home/bob'], guarded};
const verdict = (scope: string) => powerOf(scope.replace(/:rw$/, ''), scope.endsWith(':rw') ? 'write' : 'read', facts);

test('what holds power over fleet, git or logins is refused, by what it is, lies in and holds', () => {
	for (const scope of [
		'/',
		'/home',
		'/home/ada',
		'/home/ada:rw',
		'/home/bob',
		'/root',
		'/home/bob/.ssh',
		'/root/.config/gh',
		'/proc',
		'/proc/self/root/home',
		'/sys/fs',
		'/dev/shm/x',
		'/run',
		'/run/user/1000',
		'/var/run/docker.sock',
		'/var',
		'/var/spool/cron',
		'/boot',
		'/home/ada/.ssh',
		'/home/ada/.ssh/id_rsa',
		'/home/ada/.gnupg',
		'/home/ada/.aws/credentials',
		'/home/ada/.config',
		'/home/ada/.config/gh',
		'/home/ada/.kube',
		'/home/ada/.docker/config.json',
		'/home/ada/.claude',
		'/home/ada/.claude.json',
		'/home/ada/.codex/auth.json',
		'/home/ada/.gemini',
		'/home/ada/.some-agent-of-next-year',
		'/home/ada/.npmrc',
		'/home/ada/.netrc',
		'/home/ada/.bashrc',
		'/home/ada/.mozilla',
		'/home/ada/snap/firefox',
		'/home/ada/.cache',
		'/home/ada/.cache/mozilla',
		'/home/ada/.cache/mozilla/firefox',
		'/home/ada/.local',
		'/home/ada/.local/share',
		'/home/ada/.local/share/keyrings',
		'/home/ada/.cargo',
		'/home/ada/.cargo/credentials.toml',
		'/home/ada/.m2',
		'/home/ada/.gem/credentials',
		'/home/ada/.local/bin:rw',
		'/home/ada/bin:rw',
		'/home/ada/tools/bin:rw',
		'/home/ada/tools:rw',
		'/home/ada/tools/bin/x:rw',
		'/home/ada/.nvm:rw',
		'/home/ada/.config/systemd/user:rw',
		'/home/ada/.profile:rw',
		'/home/ada/projects/app/.git',
		'/home/ada/projects/app/.git:rw',
		'/home/ada/projects/app/.git/hooks',
		'/home/ada/projects/app:rw',
		'/home/ada/projects:rw',
		'/srv/bare.git',
		'/srv/bare.git/hooks:rw',
		'/srv:rw',
		'/srv',
		'/srv/fleet',
		'/srv/fleet/state/runs',
		'/other/repo/.git',
		'/backup/ada/.ssh',
		'/backup/.aws/x',
		'/etc/shadow',
		'/etc/ssh',
		'/etc/ssl/private/key',
		'/etc/myapp:rw',
		'/usr/local:rw',
		'/usr/local/bin:rw',
		'/opt/homebrew:rw',
		'/var/lib/x:rw',
		'/var/lib/docker',
	]) {
		const refused = verdict(scope);
		assert.ok(refused, `${scope} is granted`);
		assert.ok(
			refused.because.length > 10 && refused.hint.length > 5 && !/undefined/.test(refused.because + refused.hint),
			scope,
		);
	}
});

test('what a run may need is granted', () => {
	for (const scope of [
		'/home/ada/projects/data',
		'/home/ada/projects/data:rw',
		'/home/ada/projects',
		'/home/ada/projects/app',
		'/home/ada/projects/app/node_modules:rw',
		'/home/ada/.local/bin',
		'/home/ada/.cache/pip',
		'/home/ada/.cache/pip:rw',
		'/home/ada/.nvm/versions/node/v22',
		'/home/ada/.cargo/registry:rw',
		'/home/ada/.m2/repository:rw',
		'/home/ada/tools',
		'/home/ada/bin',
		'/srv/data',
		'/srv/data:rw',
		'/srv/fleet-other',
		'/var/tmp/x:rw',
		'/tmp/x:rw',
		'/etc/myapp',
		'/opt/tool',
		'/opt/tool:rw',
		'/mnt/disk/set:rw',
		'/usr/share/dict',
		'/home/ada/bobs',
		'/home/adam/x',
		'/var/www:rw',
		'/projects/.gitignore:rw',
	]) {
		assert.equal(verdict(scope), undefined, scope);
	}

	assert.equal(powerOf('/data', 'read', {homes: ['/'], guarded: []}), undefined, 'an account whose home is the root');
	assert.ok(powerOf('/.ssh', 'read', {homes: ['/'], guarded: []}));
	assert.ok(powerOf('/.config', 'read', {homes: ['/'], guarded: []}));
});

test('a folder that is mounted twice is known by both names', () => {
	const mounts = parseMounts(
		[
			'20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
			'21 20 8:2 / /home rw - ext4 /dev/sda2 rw',
			'22 20 8:2 /ada/.ssh /srv/keys rw - ext4 /dev/sda2 rw',
			'23 20 8:1 / /mnt/all rw - ext4 /dev/sda1 rw',
			'24 20 0:9 / /proc rw - proc proc rw',
			'25 20 8:2 /ada/sp\\040ace /mnt/sp\\040ace rw - ext4 /dev/sda2 rw',
			'',
		].join('\n'),
	);
	assert.deepEqual(aliasesOf('/srv/keys/id', mounts), ['/srv/keys/id', '/home/ada/.ssh/id']);
	assert.deepEqual(aliasesOf('/srv/keys', mounts), ['/srv/keys', '/home/ada/.ssh']);
	assert.deepEqual(aliasesOf('/mnt/all', mounts), ['/mnt/all', '/']);
	assert.deepEqual(aliasesOf('/mnt/all/etc/shadow', mounts), ['/mnt/all/etc/shadow', '/etc/shadow']);
	assert.deepEqual(aliasesOf('/home/ada', mounts), ['/home/ada']);
	assert.deepEqual(aliasesOf('/mnt/sp ace/x', mounts), ['/mnt/sp ace/x', '/home/ada/sp ace/x']);
	assert.deepEqual(aliasesOf('/', mounts), ['/', '/mnt/all']);
	assert.equal(mountOf('/proc/1', mounts)?.type, 'proc');
	assert.equal(mountOf('/homer', mounts)?.place, '/');
});
