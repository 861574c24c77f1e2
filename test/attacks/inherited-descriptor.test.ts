import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';

/* Source: a descriptor that the person's shell left open reaches every child of fleet, the sandbox among them. Node closes the low ones by itself, up to the first gap. */

const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-descriptor-'));
after(() => {
	rmSync(folder, {recursive: true});
});
writeFileSync(path.join(folder, 'canary'), 'through-a-descriptor');
const module = path.resolve(import.meta.dirname, '../../source/host/descriptors.ts');

function child(closing: boolean): string {
	const script = `import {spawnSync} from 'node:child_process'; import {closeInherited} from ${JSON.stringify(module)}; ${closing ? 'closeInherited();' : ''} const r = spawnSync('/bin/bash', ['-c', 'cat <&200'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}); console.log(r.stdout);`;
	return spawnSync('/bin/bash', ['-c', 'exec 200< "$1"; exec "$2" --disable-warning=ExperimentalWarning --input-type=module -e "$3"', 'sh', path.join(folder, 'canary'), process.execPath, script], {encoding: 'utf8'}).stdout;
}

test('read through an inherited descriptor: stopped', () => {
	assert.doesNotMatch(child(true), /through-a-descriptor/);
});

test('read through an inherited descriptor: works without closing what was inherited', () => {
	assert.match(child(false), /through-a-descriptor/);
});
