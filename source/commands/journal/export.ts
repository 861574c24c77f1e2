import {markdownOf} from '../../core/record/markdown.ts';
import {sarifOf} from '../../core/record/sarif.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {envelopeJson, parseEnvelopeWord} from '../../core/statement/envelope.ts';

/** The signed statements of a run as DSSE envelopes, one JSON document on a line. */
function dsseOf(run: Run): string {
	return run.statements
		.map(({word}) => parseEnvelopeWord(word))
		.map(envelope => (envelope instanceof Refusal ? '' : `${envelopeJson(envelope)}\n`))
		.join('');
}

const forms = {dsse: dsseOf, sarif: sarifOf, markdown: markdownOf};

export type ExportForm = keyof typeof forms;
export const exportForms = Object.keys(forms) as ExportForm[];

/** A run's record in a form that others read. */
export function exported(run: Run, form: ExportForm): string {
	return forms[form](run);
}
