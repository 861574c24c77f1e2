import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parsePolicy} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {isSetupInput} from '../../source/core/setup-inputs.ts';

test('the result of setup depends on manifests, lock files, and what its commands and its policy name', () => {
	const setup = {
		besides: ['tools', 'vendor/list.txt'],
		commands: ['npm ci', 'sh ./scripts/setup.sh --all', 'make -f "deps.mk"'],
	};
	for (const file of [
		'package.json',
		'packages/a/package-lock.json',
		'requirements.txt',
		'requirements-dev.txt',
		'dev-requirements.in',
		'requirements/test.txt',
		'a/b/Cargo.toml',
		'.mvn/wrapper/maven-wrapper.properties',
		'tools/x/y.py',
		'vendor/list.txt',
		'scripts/setup.sh',
		'deps.mk',
	]) {
		assert.ok(isSetupInput(file, setup), file);
	}

	for (const file of [
		'index.js',
		'src/package.jsonc',
		'toolsmith.md',
		'scripts/setup.sh.md',
		'setup.sh',
		'my-deps.mk',
		'README.md',
	]) {
		assert.ok(!isSetupInput(file, setup), file);
	}
});

test('setup is a list, or commands with what they depend on', () => {
	const setup = (text: string) => {
		const policy = parsePolicy(text);
		return policy instanceof Refusal ? policy.because : policy.setup;
	};
	assert.deepEqual(setup(''), {commands: [], inputs: [], secrets: [], reuse: true});
	assert.deepEqual(setup('setup: [npm ci]'), {commands: ['npm ci'], inputs: [], secrets: [], reuse: true});
	assert.deepEqual(setup('setup: {commands: [npm ci], secrets: [npm], inputs: [tools/], reuse: false}'), {
		commands: ['npm ci'],
		inputs: ['tools/'],
		secrets: ['npm'],
		reuse: false,
	});
	for (const text of [
		'setup: 5',
		'setup: {command: [x]}',
		'setup: {commands: [x], inputs: [/etc]}',
		'setup: {commands: [x], inputs: [a/../b]}',
	]) {
		assert.match(String(setup(text)), /^\.fleet\/policy\.yaml:1: /, text);
	}
});
