import {generateKeyPairSync, randomBytes, sign, type KeyObject} from 'node:crypto';
import net from 'node:net';

/*
 * A run's own certificate authority: P-256, for two days at most, its
 * key in this process's memory alone. DER by hand (RFC 5280, X.690).
 */

function lengthOf(body: Uint8Array): Buffer {
	if (body.length < 128) {
		return Buffer.from([body.length]);
	}

	return body.length < 256
		? Buffer.from([0x81, body.length])
		: Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
	const body = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([tag]), lengthOf(body), body]);
}

const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]) => tlv(0x31, ...parts);
const octets = (bytes: Uint8Array) => tlv(0x04, bytes);
const bits = (bytes: Uint8Array, unused = 0) => tlv(0x03, Buffer.from([unused]), bytes);
const yes = tlv(0x01, Buffer.from([0xff]));
const explicit = (number: number, ...parts: readonly Uint8Array[]) => tlv(0xa0 + number, ...parts);

function integer(bytes: Uint8Array): Buffer {
	// Positive: a leading bit would be a sign.
	return tlv(0x02, bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function oid(text: string): Buffer {
	const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
	const encode = (value: number): number[] => {
		const bytes = [value & 0x7f];
		for (let left = value >> 7; left > 0; left >>= 7) {
			bytes.unshift((left & 0x7f) | 0x80);
		}

		return bytes;
	};

	return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(value => encode(value))]));
}

function time(date: Date): Buffer {
	return tlv(
		0x17,
		Buffer.from(
			`${date
				.toISOString()
				.replaceAll(/[-:T]|\.\d+/g, '')
				.slice(2, 14)}Z`,
		),
	);
}

const named = (text: string) => sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(text)))));
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const extension = (id: string, critical: boolean, value: Uint8Array) =>
	sequence(oid(id), ...(critical ? [yes] : []), octets(value));

function addressBytes(address: string): Buffer {
	if (net.isIPv4(address)) {
		return Buffer.from(address.split('.').map(Number));
	}

	const [head = '', tail] = address.split('::');
	const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)));
	const first = groups(head);
	const last = tail === undefined ? [] : groups(tail);
	const all =
		tail === undefined ? first : [...first, ...Array.from({length: 8 - first.length - last.length}, () => 0), ...last];
	return Buffer.from(all.flatMap(group => [group >> 8, group & 0xff]));
}

function toPem(der: Uint8Array): string {
	const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
	return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** How long a certificate is good for. It begins an hour ago, for a sandbox whose clock is behind. */
const validityMs = 47 * 3_600_000;
const backdatedMs = 3_600_000;

/** Certificates that are kept at one time. */
const maxCertificates = 64;

type Pair = {readonly privateKey: KeyObject; readonly spki: Buffer};

function makePair(): Pair {
	const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
	return {privateKey, spki: publicKey.export({type: 'spki', format: 'der'})};
}

/** The last 20 bytes of a key are as good a name for it as any: it only has to be the same in both certificates. */
const keyId = (spki: Buffer) => spki.subarray(-20);

function certificate(options: {
	subject: string;
	issuer: string;
	spki: Buffer;
	signer: KeyObject;
	from: Date;
	until: Date;
	extensions: readonly Buffer[];
}): Buffer {
	const body = sequence(
		explicit(0, integer(Buffer.from([2]))),
		integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
		ecdsaWithSha256,
		named(options.issuer),
		sequence(time(options.from), time(options.until)),
		named(options.subject),
		options.spki,
		explicit(3, sequence(...options.extensions)),
	);
	return sequence(body, ecdsaWithSha256, bits(sign('sha256', body, options.signer)));
}

/** Signs for hosts that one run reaches through its broker. */
export class Authority {
	/** The authority's own certificate, PEM: what the run is told to trust. */
	readonly certificate: string;
	readonly #pair = makePair();
	readonly #leaf = makePair();
	readonly #name: string;
	readonly #made: number;
	readonly #leaves = new Map<string, {cert: string; key: string}>();

	/** @param runId names the authority, so that a person who meets it knows where it came from */
	constructor(runId: string, now = Date.now()) {
		this.#name = `fleet run ${runId.slice(0, 40)}`;
		this.#made = now;
		this.certificate = toPem(
			certificate({
				subject: this.#name,
				issuer: this.#name,
				spki: this.#pair.spki,
				signer: this.#pair.privateKey,
				from: new Date(now - backdatedMs),
				until: new Date(now + validityMs),
				extensions: [
					// An authority for the leaves below it and for no other authority; keyCertSign.
					extension('2.5.29.19', true, sequence(yes, integer(Buffer.from([0])))),
					extension('2.5.29.15', true, bits(Buffer.from([0x04]), 2)),
					extension('2.5.29.14', false, octets(keyId(this.#pair.spki))),
				],
			}),
		);
	}

	/** A certificate and key for one host, PEM. `host` is a name or an address. */
	leaf(host: string): {readonly cert: string; readonly key: string} {
		const known = this.#leaves.get(host);
		if (known) {
			return known;
		}

		const name = net.isIP(host) ? tlv(0x87, addressBytes(host)) : tlv(0x82, Buffer.from(host));
		const der = certificate({
			subject: host.slice(0, 60),
			issuer: this.#name,
			spki: this.#leaf.spki,
			signer: this.#pair.privateKey,
			from: new Date(this.#made - backdatedMs),
			until: new Date(this.#made + validityMs),
			extensions: [
				extension('2.5.29.19', true, sequence()),
				extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
				extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
				extension('2.5.29.17', false, sequence(name)),
				extension('2.5.29.14', false, octets(keyId(this.#leaf.spki))),
				extension('2.5.29.35', false, sequence(tlv(0x80, keyId(this.#pair.spki)))),
			],
		});
		const made = {cert: toPem(der), key: this.#leaf.privateKey.export({type: 'pkcs8', format: 'pem'}) as string};
		// A binding to a whole domain lets a run name hosts without end.
		if (this.#leaves.size >= maxCertificates) {
			this.#leaves.delete(this.#leaves.keys().next().value!);
		}

		this.#leaves.set(host, made);
		return made;
	}
}
