/** Words in names of columns that often hold personal data. Short on purpose: a hint that is mostly wrong is not read. */
const WORDS = new Set([
  'birthday',
  'birthdate',
  'card',
  'cardholder',
  'cellphone',
  'cvv',
  'dob',
  'email',
  'firstname',
  'fullname',
  'iban',
  'lastname',
  'mail',
  'mobile',
  'passport',
  'password',
  'passwd',
  'phone',
  'pwd',
  'salary',
  'ssn',
  'street',
  'surname',
  'telephone',
]);
const PAIRS = new Set([
  'birth date',
  'cell phone',
  'credit card',
  'date birth',
  'e mail',
  'first name',
  'full name',
  'id card',
  'last name',
  'tax id',
]);

/** Whether the name of a column says that it may hold personal data. Says nothing of what it holds. */
export function looksPersonal(column: string): boolean {
  const words = column
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(word => word !== '' && word !== 'of');
  return (
    words.some(word => WORDS.has(word)) || words.some((word, i) => PAIRS.has(`${word} ${words[i + 1] ?? ''}`))
  );
}
