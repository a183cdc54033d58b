export default function AdministrationPage() {
  return <main className="administration"><h1>Administration</h1></main>;
}
