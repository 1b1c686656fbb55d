import { DatePipe } from "@angular/common";
import { HttpClient } from "@angular/common/http";
import { Component, inject, signal } from "@angular/core";
import { DomSanitizer } from "@angular/platform-browser";
import { catchError, of } from "rxjs";

type Task = { id: number; title: string; due: string; html: string };

@Component({
  selector: "app-list",
  imports: [DatePipe],
  template: `
    @for (t of tasks(); track t.id) {
      <article>
        <h2>{{ t.title }}</h2>
        <time>{{ t.due | date }}</time>
        <div [innerHTML]="clean(t.html)"></div>
      </article>
    } @empty {
      <p>Nothing to do.</p>
    }
  `,
})
export class List {
  private sanitizer = inject(DomSanitizer);
  tasks = signal<Task[]>([]);
  constructor() {
    inject(HttpClient)
      .get<Task[]>("https://api.acme.test/tasks")
      .pipe(catchError(() => of([])))
      .subscribe((list) => this.tasks.set(list));
  }
  clean(html: string) {
    return this.sanitizer.sanitize(1, html);
  }
}
