// Holds an AsyncAPI document against the AsyncAPI parser, and payloads against its schemas.
//
//   node validate.mjs DOCUMENT [PAYLOADS]
//
// PAYLOADS is a JSON list of {"message": name, "payload": value}. One JSON object comes out:
// "diagnostics" of the parser, "examples" that the document itself gives with the errors of each,
// and for every payload whether its message's schema accepts it. The exit code is 0 whenever the
// question could be answered; what the answer means is up to who asked.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../interop/package.json', import.meta.url));
const { Parser } = require('@asyncapi/parser');
const Ajv = require('ajv');

const SEVERITIES = ['error', 'warning', 'information', 'hint'];

// Without strict: the x- keywords and contentEncoding say something to people, not to the validator.
const ajv = new Ajv({ strict: false, allErrors: true });

function told(diagnostic) {
  return {
    severity: SEVERITIES[diagnostic.severity],
    code: diagnostic.code,
    message: diagnostic.message,
    path: diagnostic.path.join('/'),
  };
}

function errorsOf(check, value) {
  return check(value) ? [] : check.errors.map((error) => `${error.instancePath} ${error.message}`);
}

function schemasOf(document) {
  const schemas = new Map();
  for (const message of document.components().messages()) {
    schemas.set(message.name(), {
      payload: ajv.compile(message.payload().json()),
      headers: ajv.compile(message.headers().json()),
      examples: message.examples().all(),
    });
  }
  return schemas;
}

function* examplesOf(schemas) {
  for (const [message, { payload, headers, examples }] of schemas) {
    for (const example of examples) {
      const errors = errorsOf(payload, example.payload());
      if (example.hasHeaders()) errors.push(...errorsOf(headers, example.headers()));
      yield { message, name: example.name(), errors };
    }
  }
}

const [documentPath, payloadsPath] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(readFileSync(documentPath, 'utf8'));
const answer = { diagnostics: diagnostics.map(told), examples: [], accepted: [] };
if (document !== undefined) {
  const schemas = schemasOf(document);
  answer.examples = [...examplesOf(schemas)];
  const payloads = payloadsPath === undefined ? [] : JSON.parse(readFileSync(payloadsPath, 'utf8'));
  answer.accepted = payloads.map(({ message, payload }) => schemas.get(message).payload(payload));
}
process.stdout.write(JSON.stringify(answer));
