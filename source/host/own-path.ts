import {proxyPort} from '../core/plan.ts';

/**
 * The path of a request that is for the listener itself: in origin form, or as a client asks that takes the listener for
 * its proxy even for what is on it. Undefined for what is for a host.
 */
export function ownPathOf(url: string): string | undefined {
	const [, port, path] = /^(?:http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5}))?(\/mcp\/.*)$/i.exec(url) ?? [];
	return port === undefined || Number(port) === proxyPort ? path : undefined;
}
