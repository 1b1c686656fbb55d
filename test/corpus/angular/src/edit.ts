import { Component, inject, signal } from "@angular/core";
import { FormControl, FormGroup, ReactiveFormsModule, Validators } from "@angular/forms";
import { HttpClient } from "@angular/common/http";
import { Router } from "@angular/router";
import { Camera, CameraResultType } from "@capacitor/camera";

@Component({
  selector: "app-edit",
  imports: [ReactiveFormsModule],
  template: `
    <form [formGroup]="form" (ngSubmit)="save()">
      <input formControlName="title" />
      <button type="button" (click)="take()">Photo</button>
      @if (photo()) {
        <img [src]="photo()" alt="" />
      }
      <button [disabled]="form.invalid">Save</button>
    </form>
  `,
})
export class Edit {
  private http = inject(HttpClient);
  private router = inject(Router);
  photo = signal("");
  form = new FormGroup({ title: new FormControl("", { nonNullable: true, validators: [Validators.required] }) });

  async take() {
    const p = await Camera.getPhoto({ quality: 80, resultType: CameraResultType.Uri });
    this.photo.set(p.webPath ?? "");
  }
  save() {
    this.http.post("https://api.acme.test/tasks", this.form.value).subscribe(() => this.router.navigate(["/"]));
  }
}
