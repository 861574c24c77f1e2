import {spawn, type ChildProcess} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {Readable, Writable} from 'node:stream';
import type {TestContext} from 'node:test';

/* Chromium, driven by its own protocol over a pipe: no library stands between a test and the browser. */

type Waiting = {resolve(result: any): void; reject(error: Error): void};

/** A browser with a profile of its own, which ends with the test. */
export class Chromium {
	readonly #child: ChildProcess;
	readonly #waiting = new Map<number, Waiting>();
	#next = 1;
	#rest = '';

	constructor(test: Pick<TestContext, 'after'>) {
		const profile = mkdtempSync(path.join(os.tmpdir(), 'fleet-chromium-'));
		this.#child = spawn(
			'chromium',
			[
				'--headless',
				'--no-sandbox',
				'--remote-debugging-pipe',
				'--disable-background-networking',
				'--disable-component-update',
				'--no-first-run',
				'--no-proxy-server',
				`--user-data-dir=${profile}`,
			],
			{stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true},
		);
		(this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.#take(text));
		test.after(async () => {
			const gone = new Promise(resolve => {
				this.#child.once('close', resolve);
			});
			process.kill(-this.#child.pid!, 'SIGKILL');
			await gone;
			rmSync(profile, {recursive: true, force: true, maxRetries: 5});
		});
	}

	#take(text: string): void {
		const parts = (this.#rest + text).split('\0');
		this.#rest = parts.pop()!;
		for (const part of parts) {
			const {id, result, error} = JSON.parse(part) as {id?: number; result?: unknown; error?: {message: string}};
			const waiting = id === undefined ? undefined : this.#waiting.get(id);
			if (error) {
				waiting?.reject(new Error(error.message));
			} else {
				waiting?.resolve(result);
			}
		}
	}

	send(method: string, params: object = {}, sessionId?: string): Promise<any> {
		const id = this.#next++;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, {resolve, reject});
			(this.#child.stdio[3] as Writable).write(`${JSON.stringify({id, method, params, sessionId})}\0`);
		});
	}

	/** A new tab. */
	async tab(): Promise<Tab> {
		const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
		const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
		return new Tab(this, sessionId);
	}
}

export class Tab {
	readonly #browser: Chromium;
	readonly #session: string;

	constructor(browser: Chromium, session: string) {
		this.#browser = browser;
		this.#session = session;
	}

	/** Goes to an address. @returns why that failed, or undefined */
	async go(url: string): Promise<string | undefined> {
		const {errorText} = await this.#browser.send('Page.navigate', {url}, this.#session);
		await this.until('document.readyState === "complete"').catch(() => {});
		return errorText;
	}

	/** The value of an expression, waited for where it is a promise. */
	async value(expression: string): Promise<any> {
		const {result, exceptionDetails} = await this.#browser.send(
			'Runtime.evaluate',
			{expression, awaitPromise: true, returnByValue: true},
			this.#session,
		);
		if (exceptionDetails) {
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		}

		return result.value;
	}

	async until(expression: string): Promise<void> {
		for (const end = Date.now() + 30_000; Date.now() < end;) {
			// While it goes to another page there is nothing to ask.
			if (await this.value(expression).catch(() => false)) {
				return;
			}

			await new Promise(resolve => {
				setTimeout(resolve, 100);
			});
		}

		throw new Error(`did not happen in 30 s: ${expression}`);
	}
}
