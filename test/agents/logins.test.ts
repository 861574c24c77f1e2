import assert from 'node:assert/strict';
import {test} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import type {AgentStart} from '../../source/core/seams.ts';
import {makeBinding} from '../../source/core/secrets/secret.ts';
import {claimsOf} from '../../source/core/secrets/login.ts';

/* What each agent's login is read as, and what a run is given in its place. Real agents use it in NAME-rounds.test.ts. */

const logins = agents.flatMap(agent => (agent.model?.login ? [{agent, need: agent.model.login}] : []));

test('every login is bound to hosts and paths, and its token is not for where it is refreshed', () => {
	assert.deepEqual(
		logins.map(({need}) => need.name),
		['claude', 'codex', 'gemini', 'copilot'],
	);
	for (const {need} of logins) {
		assert.deepEqual(
			makeBinding(need.binding),
			makeBinding(makeBinding(need.binding) as typeof need.binding),
			need.name,
		);
		assert.ok(need.binding.paths.length > 0, need.name);
		assert.equal(need.binding.environment === undefined, need.name !== 'copilot', need.name);
		for (const host of ['platform.claude.com', 'auth.openai.com', 'oauth2.googleapis.com']) {
			assert.ok(!need.binding.hosts.includes(host), `${need.name} ${host}`);
		}

		for (const {host} of need.answers ?? []) {
			assert.ok(need.binding.hosts.includes(host), `${need.name} ${host}`);
		}
	}
});

test('a file that holds no login is none, whatever is in it', () => {
	for (const {need} of logins) {
		for (const file of [
			{},
			{tokens: {}},
			{claudeAiOauth: null},
			{tokens: {access_token: 'short'}},
			{x: ['gho_short']},
		]) {
			assert.equal(need.read(file as Record<string, unknown>, undefined), undefined, need.name);
		}
	}
});

test('a run is given a login of the right shape, with pointers, a far end, and nothing to make another from', () => {
	const far = Date.parse('2090-01-01');
	for (const {agent} of logins) {
		const pointer = 'POINTER-of-the-token-0123456789';
		const start = agent.start({
			prompt: 'x',
			argv: [],
			cwd: '/work',
			home: '/home/run',
			program: agent.program,
			interactive: false,
			conversation: undefined,
			pointer,
			login: {account: 'POINTER-of-the-account', plan: 'max'},
			uuid: 'u',
			servers: [],
		}) as AgentStart;
		const given = {...start.files, ...start.env} as Record<string, string>;
		assert.doesNotMatch(JSON.stringify(given), /api.?key":"POINTER|CODEX_API_KEY/, agent.id);
		switch (agent.id) {
			case 'claude-code': {
				const {claudeAiOauth: login} = JSON.parse(given['.claude/.credentials.json']!);
				assert.deepEqual(
					[login.accessToken, login.refreshToken, login.expiresAt > far, login.scopes, login.subscriptionType],
					[pointer, null, true, ['user:inference'], 'max'],
				);
				assert.equal(given['CLAUDE_CODE_OAUTH_TOKEN'], undefined);
				break;
			}

			case 'codex': {
				const {tokens, last_refresh: last, OPENAI_API_KEY: key} = JSON.parse(given['.codex/auth.json']!);
				assert.deepEqual(
					[tokens.access_token, tokens.refresh_token, tokens.account_id, key],
					[pointer, '', 'POINTER-of-the-account', null],
				);
				assert.ok(Date.parse(last) > far);
				const claims = claimsOf(tokens.id_token)!;
				assert.equal(claims['email'], 'run@fleet.invalid');
				assert.ok((claims['exp'] as number) * 1000 > far);
				break;
			}

			case 'gemini': {
				assert.equal(given['GOOGLE_CLOUD_ACCESS_TOKEN'], pointer);
				assert.match(given['.gemini/settings.json']!, /"selectedType":"oauth-personal"/);
				break;
			}

			default: {
				// Its token is a variable, as a long-lived one is.
				assert.equal(agent.id, 'copilot');
			}
		}
	}
});

test('what is asked about the person is answered here, with nothing of theirs', () => {
	const answered = (path: string) =>
		logins.flatMap(({need}) => need.answers ?? []).find(answer => answer.path.test(path));
	for (const path of ['/backend-api/wham/accounts/check', '/backend-api/wham/usage', '/oauth2/v2/userinfo']) {
		assert.doesNotMatch(JSON.stringify(answered(path)!.body('POINTER')), /undefined/, path);
	}

	assert.match(JSON.stringify(answered('/backend-api/wham/accounts/check')!.body('POINTER')), /"id":"POINTER"/);
	for (const path of ['/backend-api/codex/responses', '/backend-api/codex/models', '/v1internal:loadCodeAssist']) {
		assert.equal(answered(path), undefined, path);
	}
});
