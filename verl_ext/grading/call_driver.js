// Calls one function of program.js and answers with what it returned. Sent into the sandbox as text.
//
// The protocol is that of call_driver.py: on standard input a nonce, the function's name and the list of
// arguments; the answer between two nonces. Values travel in the tagged form of values.py. What the program
// prints goes to standard error. No expected value is here: who forges an answer has to know the right one.
'use strict';
(() => {
  const fs = require('fs');
  const vm = require('vm');
  const { inspect } = require('util');
  const { readFileSync, writeSync, existsSync } = fs;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const leave = process.reallyExit.bind(process);
  const toStderr = process.stderr.write.bind(process.stderr);

  class Unsupported extends Error {}

  function fromTagged(tagged) {
    if (tagged === null || typeof tagged !== 'object') return tagged;
    if (isArray(tagged)) return tagged.map(fromTagged);
    if (tagged.set) return new Set(tagged.set.map(fromTagged));
    const object = {};
    for (const [key, value] of tagged.dict) {
      const property = { value: fromTagged(value), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(object, key, property);
    }
    return object;
  }

  function encoded(value) {
    switch (typeof value) {
      case 'number':
      case 'bigint':
      case 'boolean':
        return `${value}`;
      case 'string':
        return stringify(value);
      case 'object':
        return value === null ? 'null' : encodedObject(value);
      default:
        throw new Unsupported(typeof value);
    }
  }

  function encodedObject(value) {
    const list = (items) => `[${Array.from(items, encoded).join(',')}]`;
    if (isArray(value) || ArrayBuffer.isView(value)) return list(value);
    if (value instanceof Set) return `{"set":${list(value)}}`;
    if (value instanceof Map) return `{"dict":${list(value)}}`;
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return encoded(value.valueOf());
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      throw new Unsupported(`an object of class ${prototype.constructor && prototype.constructor.name}`);
    }
    return `{"dict":${list(Object.entries(value))}}`;
  }

  function answerText(value) {
    try {
      return `{"tagged":${encoded(value)}}`;
    } catch (reason) {
      if (!(reason instanceof Unsupported)) throw reason;
      return `{"unsupported":${stringify(reason.message)},"repr":${stringify(inspect(value).slice(0, 1000))}}`;
    }
  }

  function report(error) {
    if (!(error instanceof Error)) {
      toStderr(`Uncaught ${inspect(error)}\n`);
      return;
    }
    // What plain node would print, with the program's own frames only.
    const lines = `${error.stack}`.split('\n');
    const isOurs = (line) => line.startsWith('    at ') && !/\b(program|prelude)\.js:/.test(line);
    toStderr(`${lines.filter((line) => !isOurs(line)).join('\n')}\n`);
  }

  function redirectOutput() {
    Object.defineProperty(process, 'stdout', { get: () => process.stderr });
    for (const name of ['write', 'writeSync', 'writev', 'writevSync', 'writeFile', 'writeFileSync']) {
      const original = fs[name];
      fs[name] = (target, ...rest) => original(target === 1 || target === '/dev/stdout' ? 2 : target, ...rest);
    }
  }

  // Names declared with let, const or class are no properties of the global object; a script sees them.
  function valueOf(name) {
    try {
      return vm.runInThisContext(name);
    } catch {
      return undefined;
    }
  }

  function load(file) {
    vm.runInThisContext(readFileSync(file, 'utf8'), { filename: file });
  }

  function find(name) {
    const solution = valueOf('Solution');
    if (typeof solution === 'function' && solution.prototype && typeof solution.prototype[name] === 'function') {
      const instance = new solution();
      return instance[name].bind(instance);
    }
    const exported = globalThis.module.exports;
    for (const found of [valueOf(name), exported && exported[name], exported]) {
      if (typeof found === 'function') return found;
    }
    const missing = new ReferenceError(`${name} is not defined`);
    missing.stack = `ReferenceError: ${missing.message}`;
    throw missing;
  }

  async function main() {
    const [nonce, name, ...rest] = readFileSync(0, 'utf8').split('\n');
    const tagged = rest.join('\n');
    redirectOutput();
    let answer;
    try {
      const given = fromTagged(parse(tagged));
      Object.assign(globalThis, { require, module: { exports: {} } });
      globalThis.exports = globalThis.module.exports;
      if (existsSync('prelude.js')) load('prelude.js');
      // The record's signature is never the program's answer.
      if (name in globalThis) globalThis[name] = undefined;
      load('program.js');
      const value = find(name)(...given);
      answer = answerText(value instanceof Promise ? await value : value);
    } catch (error) {
      report(error);
      leave(1);
    }
    let bytes = Buffer.from(`${nonce}${answer}${nonce}`);
    while (bytes.length) {
      try {
        bytes = bytes.subarray(writeSync(1, bytes));
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
    leave(0);
  }

  main();
})();
