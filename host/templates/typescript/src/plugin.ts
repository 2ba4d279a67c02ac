// The tools of {{name}}.

import { Failure, plugin, setting, tool } from '@coinop/plugin';

interface Greeting {
  name: string;
}

export const greeting = tool<Greeting>({
  name: '{{identifier}}',
  description: 'Greets somebody by name.',
  input: {
    type: 'object',
    properties: { name: { type: 'string', description: 'Who is greeted.' } },
    required: ['name'],
    additionalProperties: false,
  },
  price: '0.01 USD',
  effects: 'pure',
  run({ name }) {
    const somebody = name.trim();
    if (somebody === '') throw Failure.invalid('`name` is empty: say who is greeted');
    return `${setting('greeting') ?? 'Hello'}, ${somebody}!`;
  },
});

export const tools = plugin([greeting]);
