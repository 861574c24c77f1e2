import assert from 'node:assert/strict';
import {test} from 'node:test';
import {binaryText, kindOf} from '../../source/core/review/content.ts';

/* What a file that is not text is, from its first bytes: images of 33 by 7 pixels, as another program wrote them. */

const images = {
	png: 'iVBORw0KGgoAAAANSUhEUgAAACEAAAAHCAIAAAAJc7MTAAAAGElEQQ==',
	gif: 'R0lGODdhIQAHAIEAAMgKCgAAAAAAAAAAACwAAAAAIQAHAAAIGgABCA==',
	lossy: 'UklGRkgAAABXRUJQVlA4IDwAAAAQAwCdASohAAcAPm0wlEckIyIhKg==',
	lossless: 'UklGRh4AAABXRUJQVlA4TBEAAAAvIIABAAdQhSJXof+BiOh/AAA=',
	extended: 'UklGRnYAAABXRUJQVlA4WAoAAAAYAAAAIAAABgAAQUxQSAoAAAABBw==',
	jpeg:
		'/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMU' +
		'FRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU' +
		'FBQUFBQUFBT/wAARCAAHACEDASI=',
};

test('images say their kind and size, and nothing is made up where bytes are missing or wrong', () => {
	const names: Record<string, string> = {png: 'PNG', gif: 'GIF', jpeg: 'JPEG'};
	for (const [id, text] of Object.entries(images)) {
		const bytes = new Uint8Array(Buffer.from(text, 'base64'));
		const name = `${names[id] ?? 'WebP'} image`;
		assert.equal(kindOf(bytes), `${name} 33×7`, id);
		for (let length = 0; length < bytes.length; length++) {
			const found = kindOf(bytes.slice(0, length));
			assert.ok(found === undefined || found === name || found === `${name} 33×7`, `${id} ${length}: ${found}`);
		}
	}

	const png = new Uint8Array(Buffer.from(images.png, 'base64'));
	assert.equal(kindOf(png.fill(255, 16, 24)), 'PNG image', 'of a size that nobody can believe');
	assert.equal(kindOf(new Uint8Array()), undefined);
	assert.equal(kindOf(new TextEncoder().encode('\u007FELF....')), 'program (ELF)');
	assert.equal(kindOf(new TextEncoder().encode('PK\u0003\u0004')), 'ZIP archive');
	let seed = 1;
	const next = () => (seed = (seed * 48_271) % 2_147_483_647) % 256;
	for (let round = 0; round < 2000; round++) {
		const bytes = Uint8Array.from({length: round % 64}, next);
		bytes.set(
			[
				[0xff, 0xd8, 0xff],
				[0x52, 0x49, 0x46],
			][round % 2]!.slice(0, bytes.length),
		);
		kindOf(bytes);
	}
});

test('what became of it is in words', () => {
	const image = (bytes: number) => ({bytes, what: 'PNG image 640×480'});
	for (const [before, after, text] of [
		[image(12_000), image(14_000), 'PNG image 640×480, 11.7 KiB → 13.7 KiB'],
		[image(12_000), image(12_000), 'PNG image 640×480, 11.7 KiB, other bytes'],
		[image(12_000), {bytes: 100, what: 'program (ELF)'}, 'PNG image 640×480 → program (ELF), 11.7 KiB → 100 B'],
		[{bytes: 5}, {bytes: 6}, 'binary, 5 B → 6 B'],
		[null, image(1), 'PNG image 640×480, 1 B'],
		[{bytes: 2048}, null, 'binary, 2.0 KiB'],
		[null, null, 'binary'],
	] as const) {
		assert.equal(binaryText({before, after}), text);
	}
});
