import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {LoginNeed} from '../../source/core/seams.ts';
import {holdsValue} from '../../source/core/secrets/redact.ts';
import type {Fleet} from './fleet.ts';
import {LoginServer} from './login-server.ts';
import type {ModelServer} from './model-server.ts';

/* A person's login of a real agent: signed in, read by the verb, and looked for afterwards. */

const account = '7d2b41c8-93e5-4f0a-b6d1-0c5a7e94f283';

/** A JSON Web Token of this content, and of no signature. */
const jwt = (claims: Record<string, unknown>) =>
	[{alg: 'RS256', typ: 'JWT'}, claims, 'signature of the vendor']
		.map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
		.join('.');

const access: Readonly<Record<string, (random: string) => string>> = {
	claude: random => `sk-ant-oat01-${random}${random}AA`,
	codex: random => jwt({jti: random, exp: Math.floor(Date.now() / 1000) + 3600}),
	gemini: random => `ya29.${random}${random}`,
	copilot: random => `gho_${random.slice(0, 36)}`,
};

/** The file as the agent itself writes it. */
const files: Readonly<Record<string, (tokens: {access: string; refresh: string}) => unknown>> = {
	claude: ({access, refresh}) => ({
		claudeAiOauth: {
			accessToken: access,
			refreshToken: refresh,
			expiresAt: Date.now() + 3_600_000,
			scopes: ['user:inference', 'user:profile'],
			subscriptionType: 'max',
		},
	}),
	codex: ({access, refresh}) => ({
		auth_mode: 'chatgpt',
		OPENAI_API_KEY: null,
		tokens: {
			id_token: jwt({email: 'person@example.invalid', 'https://api.openai.com/auth': {chatgpt_account_id: account}}),
			access_token: access,
			refresh_token: refresh,
			account_id: account,
		},
		last_refresh: new Date().toISOString(),
	}),
	gemini: ({access, refresh}) => ({
		access_token: access,
		refresh_token: refresh,
		scope: 'https://www.googleapis.com/auth/cloud-platform',
		token_type: 'Bearer',
		expiry_date: Date.now() + 3_600_000,
	}),
	copilot: ({access}) => ({copilot_tokens: {'https://github.com:person': access}}),
};

/** Where each vendor's tokens are had. */
export const tokenHosts: Readonly<Record<string, string>> = {
	claude: 'platform.claude.com/v1/oauth/token',
	codex: 'auth.openai.com/oauth/token',
	gemini: 'oauth2.googleapis.com/token',
};

export class DrivenLogin {
	readonly tokens: LoginServer;
	readonly #need: LoginNeed;

	constructor(need: LoginNeed) {
		this.#need = need;
		this.tokens = new LoginServer({access: access[need.name]!, says: need.name !== 'codex'});
	}

	/** Whether it is one that a server makes anew. */
	get isRefreshed(): boolean {
		return this.#need.name in tokenHosts;
	}

	/** Has a server answer for the vendor's tokens. */
	serve(model: ModelServer): void {
		model.forgives = this.isRefreshed;
		model.handle = (request, body, response) => {
			if (`${request.headers.host}${request.url}` !== tokenHosts[this.#need.name]) {
				return false;
			}

			this.tokens.answer(request, body, response);
			return true;
		};
	}

	/** A person signs in with the agent, and has fleet read that. */
	keep(fleet: Fleet): void {
		const file = path.join(fleet.home, this.#need.files[0]!);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, JSON.stringify(files[this.#need.name]!(this.tokens.signIn())), {mode: 0o600});
		const before = readFileSync(file, 'utf8');
		const {code, stdout, stderr} = fleet.run(['secret', 'login', this.#need.name, '--yes']);
		assert.equal(code, 0, stderr);
		assert.match(stdout, new RegExp(`^fleet://user/${this.#need.secret} is kept: in the OS vault`));
		assert.ok(stderr.includes(`reads the login of ${this.#need.title} from ${file}`), stderr);
		assert.equal(/Sign in again for yourself/.test(stderr), this.isRefreshed, stderr);
		assert.equal(readFileSync(file, 'utf8'), before, "the person's own file is as it was");
		assert.deepEqual(this.#leaks(stdout + stderr), []);
	}

	/** Nothing of the login is in what was kept of the runs, nor in what the model was asked. */
	assertNowhere(fleet: Fleet, model: ModelServer, told: string): void {
		const folder = fleet.env['FLEET_HOME']!;
		const kept = readdirSync(folder, {recursive: true, withFileTypes: true})
			.filter(entry => entry.isFile())
			.map(entry => path.join(entry.parentPath, entry.name));
		assert.ok(
			kept.some(file => file.includes('/home/')),
			'HOME was searched',
		);
		assert.deepEqual(
			kept.filter(file => existsSync(file) && this.#leaks(readFileSync(file, 'latin1')).length > 0),
			[],
			told,
		);
		assert.deepEqual(
			model.bodies.flatMap(body => this.#leaks(body)),
			[],
		);
		assert.doesNotMatch(told, /secret\.refused|alarm\.raised|egress\.denied/);
		if (this.isRefreshed) {
			assert.deepEqual([this.tokens.made, this.tokens.refused], [1, 0], told);
			assert.ok(model.forgiven >= 1, 'a token that the server had forgotten was sent');
		}
	}

	#leaks(text: string): string[] {
		return [...this.tokens.all, account].filter(value => holdsValue([value], text));
	}
}
