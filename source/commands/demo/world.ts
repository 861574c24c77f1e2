import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import {passphraseVariable} from '../../core/names.ts';
import {exitCodes, Refusal} from '../../core/refusal.ts';
import {escapeControls} from '../../core/text/escape-controls.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {Authority} from '../../host/authority.ts';
import {findPaths} from '../../host/paths.ts';
import type {ActionResult} from '../../protocol/client.ts';
import {parseReport, type VerbReport} from '../../protocol/report.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';

/** What the demo reads of a run. */
const shownRun = v.object({
	stage: v.string(),
	alarms: v.number(),
	denied: v.array(v.object({target: v.string()})),
});

/** A throwaway home, project and vault; `fleet` in them; and what was checked so far. */
export class World {
	readonly #io: Io;
	readonly #yes: boolean;
	readonly folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-demo-'));
	readonly home = path.join(this.folder, 'home');
	readonly project = path.join(this.folder, 'greeter');
	readonly deployed = path.join(this.folder, 'deployed');
	readonly #bin = path.join(this.folder, 'bin');
	readonly canary = `demo-key-${randomBytes(12).toString('hex')}`;
	readonly secret = `courier-${randomBytes(16).toString('hex')}`;
	readonly token = `demo-token-${randomBytes(12).toString('hex')}`;
	readonly #env: NodeJS.ProcessEnv;
	hits = 0;
	/** What the courier's server was sent, as its authorization. */
	readonly received: string[] = [];
	#number = 0;
	#failed = 0;

	constructor(io: Io, yes: boolean) {
		this.#io = io;
		this.#yes = yes;
		mkdirSync(this.#bin);
		symlinkSync(process.execPath, path.join(this.#bin, 'node'));
		// The agent's node is the one that fleet runs on: an older one that comes first on the search path may know no proxy.
		const programs = `${this.#bin}${path.delimiter}${process.env['PATH'] ?? ''}`;
		this.#env = {
			...process.env,
			PATH: programs,
			// Where a run's programs are looked for, with `npm start`, too.
			FLEET_PATH: programs,
			HOME: this.home,
			FLEET_HOME: path.join(this.folder, 'fleet'),
			FORCE_COLOR: '0',
			NO_COLOR: '1',
			[passphraseVariable]: randomBytes(16).toString('hex'),
			NODE_EXTRA_CA_CERTS: path.join(this.folder, 'world.pem'),
			DBUS_SESSION_BUS_ADDRESS: '',
		};
	}

	step(title: string): void {
		this.#io.out(`\n${++this.#number}. ${title}\n`);
	}

	check(what: string, held: boolean, otherwise = ''): void {
		this.#failed += held ? 0 : 1;
		this.#io.out(`   ${held ? '✔' : '✘'} ${what}${held || otherwise === '' ? '' : `: ${otherwise}`}\n`);
	}

	async next(question = 'enter goes on, q ends the demo '): Promise<void> {
		if (!this.#yes && /^q/i.test(await ask(`   ${question}`, false))) {
			throw new Refusal('the demo was ended', 'nothing of it is left behind');
		}
	}

	fleet(argv: string[], input?: string): Promise<ActionResult> {
		if (argv[0] !== 'show' && argv[0] !== 'logs') {
			const end = argv.indexOf('--') + 1;
			const words = (end === 0 ? argv : argv.slice(0, end)).map(word => quoteWord(word));
			this.#io.out(`   $ fleet ${words.join(' ')}${end === 0 ? '' : ' …'}\n`);
		}

		return new Promise((resolve, reject) => {
			const child = spawn(process.execPath, [process.argv[1]!, ...argv], {
				cwd: this.project,
				env: this.#env,
				stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ipc'],
			});
			let report: VerbReport = {};
			child.on('message', message => {
				report = {...report, ...parseReport(message)};
			});
			let stdout = '';
			let stderr = '';
			child.stdout!.setEncoding('utf8').on('data', (text: string) => {
				stdout += text;
			});
			child.stderr!.setEncoding('utf8').on('data', (text: string) => {
				stderr += text;
			});
			child.stdin?.end(input);
			child.on('error', reject);
			child.on('close', code => resolve({code: code ?? 1, stdout, stderr, report}));
		});
	}

	async must(argv: string[], input?: string): Promise<string> {
		const {code, stdout, report} = await this.fleet(argv, input);
		if (code !== 0) {
			const {because, hint} = report?.refusal ?? {because: 'without a word', hint: 'fleet doctor'};
			throw new Refusal(`fleet ${argv[0]} ended with ${code}: ${because}`, hint, code);
		}

		return stdout;
	}

	git(...argv: string[]): string {
		return execFileSync('git', ['-C', this.project, ...argv], {
			env: this.#env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
		}).trim();
	}

	async until(condition: () => Promise<boolean>, what: string): Promise<void> {
		for (let tries = 0; tries < 300; tries++) {
			if (await condition()) {
				return;
			}

			await new Promise(resolve => {
				setTimeout(resolve, 100);
			});
		}

		throw new Error(`${what} did not happen in 30 s`);
	}

	/** A run, as `fleet show --json` has it. */
	async shown(run: string): Promise<v.InferOutput<typeof shownRun>> {
		return v.parse(shownRun, JSON.parse((await this.fleet(['show', run, '--json'])).stdout));
	}

	/** What an agent said, also written out for the person who watches. */
	quote(text: string): void {
		this.#io.out(escapeControls(text).replaceAll(/^(.)/gm, '   │ $1'));
	}

	/** Walks with two servers that the host has and a run may be let to. @returns the exit code */
	async walk(steps: (ports: {readonly facts: number; readonly courier: number}) => Promise<void>): Promise<number> {
		const facts = http.createServer((_request, response) => {
			this.hits++;
			response.end('a fact from the one host that was granted\n');
		});
		// A server that echoes what it is sent, as careless ones do;
		// its certificate is signed by an authority of the demo's own.
		const authority = new Authority("the demo's world");
		writeFileSync(path.join(this.folder, 'world.pem'), authority.certificate);
		const courier = https.createServer(authority.leaf('localhost'), (request, response) => {
			this.received.push(request.headers.authorization ?? 'nothing');
			response
				.writeHead(request.headers.authorization === `Bearer ${this.secret}` ? 200 : 401)
				.end(`three parcels for the holder of ${request.headers.authorization}\n`);
		});
		for (const server of [facts, courier]) {
			await new Promise<void>(resolve => {
				server.listen(0, '127.0.0.1', resolve);
			});
		}

		try {
			await steps({
				facts: (facts.address() as AddressInfo).port,
				courier: (courier.address() as AddressInfo).port,
			});
		} finally {
			for (const server of [facts, courier]) {
				server.close();
				server.closeAllConnections();
			}
		}

		this.#io.out(
			this.#failed === 0
				? asTyped('\nEvery step held. Next, in a project of your own: fleet project add\n')
				: `\n${this.#failed} of the steps did not hold.\n`,
		);
		return this.#failed === 0 ? exitCodes.ok : exitCodes.gate;
	}

	/** Every file that fleet wrote. */
	kept(): string[] {
		return readdirSync(this.#env['FLEET_HOME']!, {recursive: true, withFileTypes: true})
			.filter(entry => entry.isFile())
			.map(entry => path.join(entry.parentPath, entry.name));
	}

	/** Takes everything away again. */
	end(keep: boolean): void {
		for (const name of ['greet', 'parcels']) {
			spawnSync(process.execPath, [process.argv[1]!, 'stop', name], {env: this.#env, stdio: 'ignore'});
		}

		if (keep) {
			this.#io.out(`kept: FLEET_HOME=${this.#env['FLEET_HOME']} HOME=${this.home} fleet\n`);
			return;
		}

		try {
			rmSync(findPaths(this.#env).runtime, {recursive: true, force: true});
		} catch {
			// Where the folder for sockets cannot be found or taken away, the demo's own folder goes all the same.
		}

		// Whatever an agent made unreadable; where there is no chmod, there was no agent either.
		spawnSync('chmod', ['-R', 'u+rwX', '--', this.folder], {stdio: 'ignore'});
		rmSync(this.folder, {recursive: true, force: true});
	}
}
