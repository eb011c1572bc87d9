// Writes 10 MiB in pieces of 64 KiB.

const PIECE = `${'x'.repeat(65_535)}\n`;

for (let i = 0; i < 160; i += 1) process.stdout.write(PIECE);
